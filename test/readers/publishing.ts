import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { onStep } from "../../src/steps/index.ts";
import { randomFrom } from "../model/commands.ts";
import { type Bytes, type Content, Model, type Turn } from "../model/model.ts";
import { GAP, System } from "../model/system.ts";

const DAYS = 30;
const WHY = { reason: "for the readers", by: "test" };

/** What a version must be, written before anybody can see it: one line of JSON for each. */
export interface Expectation {
  readonly sequence: number;
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly values: readonly number[];
}

/**
 * Publishes over and over: appended, late, replaced and withdrawn granules, several at once, rollbacks, releases, rebuilds. Every
 * value says of which day and which revision it is. Sources are copied, so that versions stay readable.
 */
export class Publishing {
  readonly system: System;
  readonly #model = new Model();
  readonly #expectations: string;
  readonly #random = randomFrom(20261121);
  readonly #contents: Content[] = [];
  #revision = 0;
  /** Publications of each kind. */
  readonly kinds = new Map<string, number>();

  private constructor(system: System, expectations: string) {
    this.system = system;
    this.#expectations = expectations;
  }

  static async start(expectations: string): Promise<Publishing> {
    return new Publishing(await System.start("mirror"), expectations);
  }

  /** One thing that makes one version. */
  async next(): Promise<void> {
    if (this.#model.isHeld) return this.#operate({ kind: "release", ...WHY }, this.#model.anew());
    const count = this.#contents.length;
    const roll = this.#random();
    if (count === 8 || (count > 8 && roll < 0.08)) {
      const index = this.#below(count);
      const turn = this.#model.again(this.#contents[index] as Content);
      return this.#operate({ kind: "rollback", to: index + 1, ...WHY }, turn);
    }
    if (count === 12 || (count > 12 && roll < 0.14)) return this.#operate({ kind: "rebuild", ...WHY }, this.#model.anew());
    if (count > 5 && roll < 0.22) await this.#withdraw();
    for (let granule = roll > 0.85 ? 0 : 2; granule < 3; granule++) await this.#put(this.#day());
    await this.#publish();
  }

  /** Mostly the next day, else any before it: late, or replaced. */
  #day(): number {
    const last = Math.max(0, ...(this.#model.content?.map((axis) => axis.last) ?? []));
    return last < DAYS && this.#random() < 0.3 ? last + 1 : 1 + this.#below(Math.min(DAYS, last + 2));
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  async #put(day: number): Promise<void> {
    const bytes: Bytes = {
      day,
      value: day * 1000 + ++this.#revision,
      form: 0,
      uri: this.system.uriOf("p", "a", day),
      isThere: true,
    };
    await this.system.put(bytes);
    const journey = this.system.journey(bytes, "none");
    const { key } = journey.granule;
    const downloaded = await this.system.download(journey);
    const revision = this.#model.hear(key, downloaded.identity, bytes);
    assert.ok(this.#model.isTakenUp(revision) && this.#model.passesGate(revision, false));
    const scanned = await this.system.scan(journey, downloaded);
    await this.system.record(journey, downloaded.identity, { state: "ready", scanned });
    this.#model.move(revision, "ready");
    this.#model.supersedeOthers(revision, this.#model.seq);
  }

  async #withdraw(): Promise<void> {
    const published = this.#model.inState("published");
    const revision = published[this.#below(published.length)];
    if (revision === undefined) return;
    const { key, identity } = revision;
    await this.system.ledger.record({ dataset: "sst", key, identity, state: "withdrawn", reason: "taken back" });
    this.#model.move(revision, "withdrawn");
  }

  async #publish(): Promise<void> {
    const [plan] = await this.system.plan();
    const turn = this.#model.next();
    assert.ok(plan !== undefined && !("trouble" in plan) && turn !== undefined);
    await this.#announced("publication", turn, () => this.system.publish(plan));
  }

  async #operate(operation: Parameters<System["operate"]>[1], turn: Turn): Promise<void> {
    await this.#announced(operation.kind, turn, () => this.system.operate(`request ${this.#contents.length}`, operation));
  }

  /** What the version will be is known to readers before they can see it. */
  async #announced(kind: string, turn: Turn, work: () => Promise<unknown>): Promise<void> {
    const stop = onStep((step) => {
      if (step === "publish: verified")
        appendFileSync(this.#expectations, `${JSON.stringify(this.#expectation(turn.content))}\n`);
    });
    try {
      await work();
    } finally {
      stop();
    }
    this.#model.swap(turn);
    this.#model.tell();
    this.#contents.push(turn.content);
    this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1);
  }

  #expectation(content: Content): Expectation {
    const { first = 0, last = -1, at } = content[0] ?? {};
    const days = Array.from({ length: last - first + 1 }, (_, step) => first + step);
    return {
      sequence: this.#contents.length + 1,
      times: days.map((day) => Date.UTC(2017, 5, day, 12) / 1000),
      values: days.map((day) => at?.get(day)?.bytes.value ?? GAP),
    };
  }
}
