import assert from "node:assert/strict";
import { type FreshetError, isFreshetError } from "../../src/errors/index.ts";
import type { Command, Death } from "./commands.ts";
import { Died, mortal } from "./dying.ts";
import { type Bytes, type Revision, UNRESOLVED } from "./model.ts";
import type { Scene } from "./scene.ts";
import type { Journey, System } from "./system.ts";

/** A granule on its way, as far as it has come. */
interface Travel {
  readonly journey: Journey;
  revision?: Revision;
  /** The model's event with which it was judged. */
  judged?: number;
  downloaded?: Awaited<ReturnType<System["download"]>>;
  verdict?: Parameters<System["record"]>[2];
}

/** What the granules' workflows do: each key's one after the other, as far as the process lives. */
export class GranuleSide {
  readonly #scene: Scene;
  /** What is at each place of the source now. */
  readonly #files = new Map<string, Bytes>();
  /** In quarantine, waiting for a decision. */
  readonly #waiting = new Map<string, { readonly journey: Journey; readonly suspect: Revision }>();
  /** Their process died, and they have not been tried again. */
  readonly #travelling = new Map<string, Travel>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  async put({ day, station, form, place, checksum, death }: Extract<Command, { do: "put" }>): Promise<void> {
    const { system } = this.#scene;
    // Whoever was reading the file that is replaced is done.
    for (const [key, { journey }] of [...this.#travelling])
      if (journey.bytes.day === day && journey.granule.fields.station === station) await this.#arrive(key);
    const value = this.#scene.next();
    const uri = system.uriOf(system.keeping === "other names" ? `${place}${value}` : place, station, day);
    const bytes: Bytes = { day, value, form, uri, isThere: true };
    await system.put(bytes);
    const before = this.#files.get(uri);
    if (before !== undefined) before.isThere = system.keeping === "mirror";
    this.#files.set(uri, bytes);
    await this.#announce(system.journey(bytes, checksum), death);
  }

  async announceAgain({ pick, checksum, death }: Extract<Command, { do: "announce again" }>): Promise<void> {
    const bytes = picked([...this.#files.values()], pick);
    if (bytes !== undefined) await this.#announce(this.#scene.system.journey(bytes, checksum), death);
  }

  async withdraw(pick: number): Promise<void> {
    const { model, system } = this.#scene;
    const revision = picked(model.inState("published", "ready", "quarantined"), pick);
    if (revision === undefined) return;
    const { key, identity } = revision;
    await this.#arrive(key);
    if (revision.state === "withdrawn" || revision.state === "superseded") return;
    await system.ledger.record({ dataset: "sst", key, identity, state: "withdrawn", reason: "the source took it back" });
    model.move(revision, "withdrawn");
  }

  async decide({ pick, action, death }: Extract<Command, { do: "decide" }>): Promise<void> {
    await this.arriveAll();
    const chosen = picked([...this.#waiting], pick);
    if (chosen === undefined) return;
    const [key, { journey, suspect }] = chosen;
    if (action === "accept" && suspect.identity === UNRESOLVED) return;
    this.#waiting.delete(key);
    this.#scene.count(`decide: ${action}`);
    if (action !== "skip") return this.#travel({ journey: { ...journey, isAccepted: action === "accept" } }, death);
    await this.#scene.system.record(journey, suspect.identity, { state: "skipped", reason: "no use" });
    if (suspect.state === "quarantined") this.#scene.model.move(suspect, "skipped");
  }

  /** Every workflow goes on from where its process died. */
  async arriveAll(): Promise<void> {
    for (const key of [...this.#travelling.keys()]) await this.#arrive(key);
  }

  async #arrive(key: string): Promise<void> {
    const travel = this.#travelling.get(key);
    this.#travelling.delete(key);
    if (travel !== undefined) await this.#travel(travel);
  }

  async #announce(journey: Journey, death?: Death): Promise<void> {
    const { key } = journey.granule;
    await this.#arrive(key);
    this.#waiting.delete(key);
    await this.#travel({ journey }, death);
  }

  async #travel(travel: Travel, death?: Death): Promise<void> {
    const died = await mortal(death?.atStep, () => this.#activities(travel));
    if (!(died instanceof Died)) return;
    this.#scene.count(`died: ${died.step}`);
    await this.#scene.system.restart();
    if (death?.next === "now") return this.#travel(travel);
    this.#travelling.set(travel.journey.granule.key, travel);
  }

  /** The activities that are left to do. Each has happened, in the model too, or has not. */
  async #activities(travel: Travel): Promise<void> {
    const { journey } = travel;
    const downloaded = travel.downloaded ?? (await this.#download(travel));
    if (downloaded === undefined) return;
    travel.downloaded = downloaded;
    if (downloaded.known !== undefined) return this.#scene.count(`known: ${downloaded.known}`);
    const { revision } = travel;
    assert.ok(revision !== undefined);
    travel.verdict ??= await this.#scan(journey, revision, downloaded);
    const died = await orDeath(this.#scene.system.record(journey, downloaded.identity, travel.verdict));
    if (died?.step === "record: before the ledger") throw died;
    travel.judged ??= this.#judged(travel, revision, travel.verdict);
    if (died?.step === "record: half told") throw died;
    if (travel.verdict.state === "ready") this.#scene.model.supersedeOthers(revision, travel.judged);
    if (died !== undefined) throw died;
  }

  async #download(travel: Travel): Promise<Travel["downloaded"]> {
    const { journey } = travel;
    const { model, system } = this.#scene;
    const { key } = journey.granule;
    const known = model.known(key, journey.bytes, journey.announcement.checksum?.value);
    const identity = known?.identity ?? (await system.identityOf(journey));
    // It is in the ledger before its bytes are looked at.
    const revision = model.hear(key, identity, journey.bytes);
    travel.revision = revision;
    let downloaded: Travel["downloaded"];
    let failure: unknown;
    try {
      downloaded = await system.download(journey);
    } catch (error) {
      if (error instanceof Died && error.step === "download: revision heard") throw error;
      failure = error;
    }
    const isTakenUp = model.isTakenUp(revision);
    if (downloaded !== undefined) {
      assert.equal(downloaded.identity, identity);
      assert.equal(downloaded.known === undefined, isTakenUp, `known: ${downloaded.known}`);
      return downloaded;
    }
    if (!isFreshetError(failure, "source-changed") || !journey.isWrong || !isTakenUp) throw failure;
    await this.#neverRight(journey, revision, (failure as FreshetError).message);
    return undefined;
  }

  /** The bytes are not what was promised, however often one looks. */
  async #neverRight(journey: Journey, revision: Revision, reason: string): Promise<void> {
    const { model, system } = this.#scene;
    const { key } = journey.granule;
    this.#scene.count("wrong checksum");
    if (revision.state !== "quarantined") model.move(revision, "quarantined");
    const died = await orDeath(system.record(journey, UNRESOLVED, { state: "quarantined", reason }));
    if (died?.step === "record: before the ledger") throw died;
    const suspect = model.hear(key, UNRESOLVED, journey.bytes);
    if (suspect.state === "heard") model.move(suspect, "quarantined");
    if (died !== undefined) throw died;
    this.#waiting.set(key, { journey, suspect });
  }

  async #scan(journey: Journey, revision: Revision, downloaded: NonNullable<Travel["downloaded"]>) {
    const { model, system } = this.#scene;
    try {
      const scanned = await system.scan(journey, downloaded);
      assert.ok(model.passesGate(revision, journey.isAccepted), "it should not have passed the gate");
      assert.equal(scanned.epoch, revision.epoch);
      return { state: "ready" as const, scanned };
    } catch (error) {
      if (error instanceof Died && error.step === "scan: gate passed") assert.ok(model.passesGate(revision, journey.isAccepted));
      if (!isFreshetError(error, "drift")) throw error;
      assert.ok(!model.passesGate(revision, journey.isAccepted), `it should have passed the gate: ${error}`);
      return { state: "quarantined" as const, reason: (error as FreshetError).message };
    }
  }

  /** Answers the model's event. */
  #judged({ journey }: Travel, revision: Revision, { state }: NonNullable<Travel["verdict"]>): number {
    const { model } = this.#scene;
    this.#scene.count(`judged: ${state}`);
    if (revision.state === "heard" || revision.state === "quarantined") model.move(revision, state);
    if (state === "quarantined") this.#waiting.set(revision.key, { journey, suspect: revision });
    return model.seq;
  }
}

/** The death that the work came to, if it did. */
async function orDeath(work: Promise<unknown>): Promise<Died | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof Died) return error;
    throw error;
  }
}

/** One of what there is. */
export function picked<Choice>(choices: readonly Choice[], pick: number): Choice | undefined {
  return choices[pick % Math.max(1, choices.length)];
}
