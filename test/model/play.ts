import assert from "node:assert/strict";
import { isFreshetError } from "../../src/errors/index.ts";
import type { Command } from "./commands.ts";
import { DatasetSide, type Expected, type Version } from "./dataset-side.ts";
import { GranuleSide, picked } from "./granule-side.ts";
import type { Turn } from "./model.ts";
import { Scene, type Tally } from "./scene.ts";
import { type Keeping, System } from "./system.ts";

const WHY = { reason: "the model says so", by: "model" };
const isoDay = (day: number): string => new Date(Date.UTC(2017, 5, day, 12)).toISOString();

/**
 * Leads the system and its model through a sequence of commands and compares them all the way: the ledger's states after each
 * command, the newest version after each publication, all versions at the end.
 * @throws Error naming the command at which they disagree; the disagreement is its cause.
 */
export async function play(commands: readonly Command[], keeping: Keeping, tally: Tally): Promise<void> {
  const system = await System.start(keeping);
  try {
    const acts = new Play(new Scene(system, tally));
    for (const [index, command] of commands.entries()) {
      await acts.step(command).catch((cause: unknown) => {
        throw new Error(`at command ${index}: ${JSON.stringify(command)}`, { cause });
      });
    }
    await acts.end().catch((cause: unknown) => {
      throw new Error("at the end", { cause });
    });
  } finally {
    await system.stop();
  }
}

class Play {
  readonly #scene: Scene;
  readonly #granules: GranuleSide;
  readonly #dataset: DatasetSide;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#granules = new GranuleSide(scene);
    this.#dataset = new DatasetSide(scene);
  }

  async step(command: Command): Promise<void> {
    this.#scene.count(command.do);
    await this.#carryOut(command);
    await this.#scene.compareStates();
  }

  async end(): Promise<void> {
    const { model, system } = this.#scene;
    await this.#granules.arriveAll();
    await this.#dataset.settle();
    await system.restart({ ledger: true });
    await this.#scene.compareStates();
    for (const { id, content, mayHaveExpired } of this.#dataset.versions) {
      await this.#scene.compareVersion(id, content, true).catch((error: unknown) => {
        if (!mayHaveExpired || !isFreshetError(error, "expired")) throw error;
        this.#scene.count("expired");
      });
    }
    const versions = this.#dataset.versions.map(({ sequence, id }) => `#${sequence} ${id}`);
    assert.deepEqual(await system.onRecord(), versions.reverse());
    if (!model.isHeld) for (const revision of model.inState("published")) assert.ok(model.stands(revision));
  }

  #carryOut(command: Command): Promise<void> {
    const { death } = command;
    const dataset = this.#dataset;
    switch (command.do) {
      case "put":
        return this.#granules.put(command);
      case "announce again":
        return this.#granules.announceAgain(command);
      case "withdraw":
        return this.#granules.withdraw(command.pick);
      case "decide":
        return this.#granules.decide(command);
      case "settle":
        return dataset.settle(death);
      case "plan":
        return dataset.plan();
      case "publish the old plan":
        return dataset.publishOldPlan(death);
      case "restart":
        return this.#scene.system.restart(command);
      case "rollback":
        return this.#rollback(command);
      case "release": {
        const expect = (): Expected => this.#released();
        return dataset.operate({ operation: { kind: "release", ...WHY }, expect, death });
      }
      case "rebuild": {
        const { limit, dryRun } = command;
        const operation = { kind: "rebuild" as const, limit, dryRun, ...WHY };
        return dataset.operate({ operation, expect: () => this.#rebuilt(limit, dryRun), death });
      }
      case "rebuild range": {
        const { from, to, limit } = command;
        const operation = { kind: "rebuild" as const, from: isoDay(from), to: isoDay(to), limit, ...WHY };
        return dataset.operate({ operation, expect: () => this.#rangeRebuilt(from, to), death });
      }
      case "candidate":
        return dataset.operate({ operation: { kind: "candidate" }, expect: () => this.#candidate(), death });
      case "upkeep":
        return this.#upkeep(command);
      case "end at":
        return this.#endAt(command.to);
      case "begin at":
        return this.#beginAt(command);
    }
  }

  // What operations should come to.

  #publishing(turn: Turn, isPublished = true): Expected {
    return { turn, isPublished, refusals: this.#dataset.isStale(turn) ? ["source-changed"] : [] };
  }

  async #rollback({ pick, dryRun, death }: Extract<Command, { do: "rollback" }>): Promise<void> {
    await this.#dataset.finish();
    const version = picked(this.#dataset.versions, pick);
    const to = version === undefined ? 1 : pick % 2 === 0 ? version.sequence : version.id;
    const operation = { kind: "rollback" as const, to, dryRun, ...WHY };
    await this.#dataset.operate({ operation, expect: () => this.#rolledBack(version, dryRun), death });
  }

  #rolledBack(version: Version | undefined, dryRun: boolean): Expected {
    if (version === undefined) return { refusals: ["usage"] };
    const expected = this.#publishing(this.#scene.model.again(version.content), !dryRun);
    return version.mayHaveExpired ? { ...expected, refusals: [...expected.refusals, "expired"] } : expected;
  }

  #released(): Expected {
    const { model } = this.#scene;
    if (!model.isHeld) return { refusals: ["usage"] };
    const turn = model.anew();
    return this.#loses(turn) ? { refusals: ["dataset-file"] } : this.#publishing(turn);
  }

  #rebuilt(limit: number | undefined, dryRun: boolean): Expected {
    const { model } = this.#scene;
    const turn = model.anew(limit);
    if (model.content === undefined && turn.content.every(({ at }) => at.size === 0)) return { refusals: [] };
    const refusals = [...(this.#loses(turn) ? ["dataset-file"] : []), ...(model.isHeld ? ["held"] : [])];
    return refusals.length > 0 ? { refusals } : this.#publishing(turn, !dryRun && limit === undefined);
  }

  #rangeRebuilt(from: number, to: number): Expected {
    const { model } = this.#scene;
    if (model.isHeld) return { refusals: ["held"] };
    const content = model.content ?? [];
    const isThere = content.some(({ at }) => at.keys().some((day) => day >= from && day <= to));
    return isThere ? this.#publishing(model.same(content)) : { refusals: [] };
  }

  #candidate(): Expected {
    const { model } = this.#scene;
    if (model.isHeld) return { refusals: ["held"] };
    const turn = model.next();
    return turn?.makesVersion ? this.#publishing(turn, false) : { refusals: [] };
  }

  async #upkeep({ dryRun, death }: Extract<Command, { do: "upkeep" }>): Promise<void> {
    await this.#dataset.finish();
    if (!dryRun) this.#dataset.expireOld();
    const operation = { kind: "upkeep" as const, dryRun };
    await this.#dataset.operate({ operation, expect: () => ({ refusals: [] }), death: death && { ...death, next: "now" } });
  }

  /** Brought about in place. */
  async #endAt(to: number | undefined): Promise<void> {
    const { model, system } = this.#scene;
    await this.#dataset.finish();
    model.bounds = { ...model.bounds, to: to === undefined ? undefined : Math.max(to, model.bounds.from ?? to) };
    system.dataset = system.datasetWith(model.bounds);
  }

  /** Brought about by a rebuild aside. */
  async #beginAt({ from, death }: Extract<Command, { do: "begin at" }>): Promise<void> {
    const { model, system } = this.#scene;
    await this.#dataset.finish();
    const before = model.bounds;
    const isEmpty = from !== undefined && before.to !== undefined && before.to < from;
    const bounds = { from, to: isEmpty ? undefined : before.to };
    const reference = system.referenceTo(system.datasetWith(bounds));
    const operation = {
      kind: "change" as const,
      dataset: reference,
      coalesceMs: 0,
      upkeepEveryMs: 1,
      rebuild: ["timeseries"],
      ...WHY,
    };
    const expect = (): Expected => {
      model.bounds = bounds;
      const expected = this.#rebuilt(undefined, false);
      model.bounds = before;
      return expected;
    };
    // Given up half way it would leave a product by one file under another: apply tries until it is done.
    const patient = death && { ...death, next: death.next === "never" ? ("later" as const) : death.next };
    await this.#dataset.operate({ operation, expect, bounds, death: patient });
  }

  /** Granules that are published would have no place. */
  #loses({ rejected }: Turn): boolean {
    return rejected.values().some((revision) => revision.state === "published" || this.#scene.model.stands(revision));
  }
}
