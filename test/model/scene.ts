import assert from "node:assert/strict";
import { type Content, Model } from "./model.ts";
import { GAP, type Keeping, type Reading, type System } from "./system.ts";

/** How often things happened, over all sequences: a property that never got anywhere would hold too. */
export type Tally = Map<string, number>;

const CHANGED = /checksum of the object owning the virtual chunk has changed|not enough data/;

/** The system and its model side by side. */
export class Scene {
  readonly model = new Model();
  readonly system: System;
  readonly #tally: Tally;
  #number = 0;

  constructor(system: System, tally: Tally) {
    this.system = system;
    this.#tally = tally;
  }

  count(what: string): void {
    this.#tally.set(what, (this.#tally.get(what) ?? 0) + 1);
  }

  /** A number that nothing else has. */
  next(): number {
    return ++this.#number;
  }

  /** One in `of` times; the same in each run. */
  isTurn(of: number): boolean {
    return this.#number % of === 0;
  }

  /** Every revision's state is what the model says. */
  async compareStates(): Promise<void> {
    const revisions = [...this.model.revisions.values()];
    const expected = revisions.map(({ key, identity, state }) => `${key} ${identity} ${state}`);
    assert.deepEqual(await this.system.states(new Set(revisions.map(({ key }) => key))), expected.sort());
  }

  /** Every value of a version is what the model says. */
  async compareVersion(version: string, content: Content, isFresh: boolean): Promise<void> {
    compareReadings(await this.system.read(version, content.length, isFresh), content, this.system.keeping);
    this.count("versions read");
  }
}

function compareReadings(readings: readonly Reading[], content: Content, keeping: Keeping): void {
  for (const [epoch, { first, last, at }] of content.entries()) {
    const { days, values } = readings[epoch] as Reading;
    const expected = Array.from({ length: Math.max(0, last - first + 1) }, (_, step) => first + step);
    assert.deepEqual(days, expected, `the days of epoch ${epoch + 1}`);
    for (const [step, day] of days.entries()) {
      const bytes = at.get(day)?.bytes;
      const found = values[step];
      const where = `epoch ${epoch + 1}, day ${day}`;
      if (keeping === "in place" && bytes?.isThere === false)
        assert.ok(found instanceof Error && CHANGED.test(found.message), `${where} is ${found}, and its source has changed`);
      else if (found instanceof Error) throw found;
      else assert.equal(found, bytes?.value ?? GAP, where);
    }
  }
}
