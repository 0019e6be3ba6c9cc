import assert from "node:assert/strict";
import { CrashWorld } from "./crash-world.ts";
import { readEndState } from "./end-state.ts";
import type { Order } from "./order.ts";
import { bytesOf, nameOf } from "./scenario.ts";

const GRANULES = 100;
const AT_ONCE = 8;
/** Cells of a granule. */
const CELLS = 6;
const DEATHS: readonly Order[] = [
  { step: "scan: artefact kept", mishap: "dies", time: 10 },
  { step: "record: half told", mishap: "dies", time: 5 },
];

/**
 * A hundred granules, in no order, come to two workers that share a ledger, the scans and a store; one of them dies in between, and its successor too. All are
 * published, each once, in one sequence of versions.
 */
export async function hundredGranules(): Promise<string> {
  const world = await CrashWorld.start({ workers: 2 });
  try {
    world.order(DEATHS);
    // 37 has no factor in common with 100: every day once.
    const days = Array.from({ length: GRANULES }, (_, index) => ((index * 37) % GRANULES) + 1);
    for (let from = 0; from < GRANULES; from += AT_ONCE) {
      await Promise.all(
        days.slice(from, from + AT_ONCE).map(async (day) => {
          await world.put(nameOf(day), bytesOf(day, day));
          await world.announce(nameOf(day));
        }),
      );
    }
    const { name } = world.dataset;
    await world.until(async () => (await world.ledger.counts(name)).published === GRANULES, "all are published");
    const [latest] = await world.ledger.publications(name, undefined, 1);
    assert.ok(latest);
    await world.rests(latest.sequence);
    assert.deepEqual(world.happened, DEATHS);
    assert.ok(world.busyWorkers >= 3, "all have worked");

    const end = await readEndState(world);
    assert.equal(end.counts.published, GRANULES);
    assert.equal(end.revisions.length, GRANULES);
    assert.deepEqual(
      end.revisions.filter((revision) => !revision.endsWith(": heard → ready → published")),
      [],
    );
    assert.deepEqual(
      end.values.sst,
      Array.from({ length: GRANULES * CELLS }, (_, cell) => Math.floor(cell / CELLS) + 1),
    );
    const written = end.publications.flatMap((publication) => publication.split(": ")[1]?.split(" ") ?? []);
    assert.equal(written.length, GRANULES, "each is written once");
    assert.equal(new Set(written).size, GRANULES);
    return `${GRANULES} granules in ${latest.sequence} versions`;
  } finally {
    await world.stop();
  }
}
