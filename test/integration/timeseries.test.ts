import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Store } from "@earthmover/icechunk";
import * as zarr from "zarrita";
import { lookAtProduct } from "../../src/publication/index.ts";
import { readVirtualArray, scan } from "../../src/scan/index.ts";
import { openReader } from "../../src/storage/index.ts";
import { MOGREPS, OSTIA, type RealGranule } from "../support/granules.ts";
import { compareInPython, missingPython } from "../support/python.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { World } from "../support/world.ts";

for (const mirror of [false, true]) {
  suite(`granules become a time series that readers open, ${mirror ? "from our own copies" : "in place over HTTP"}`, {
    skip: missingTemporal(),
  }, () => {
    let world: World;
    before(async () => {
      world = await World.start({ mirror });
    });
    after(() => world?.stop());

    for (const [name, granules] of [
      ["ostia", OSTIA],
      ["mogreps-uk", MOGREPS],
    ] as const) {
      test(`${name}: first, third, then the late second day, the third announced again; every version reads as its sources`, async () => {
        const [one, two, three] = granules as [RealGranule, RealGranule, RealGranule];
        assert.equal((await world.deliver(one)).stage, "ready");
        assert.equal((await world.deliver(three)).stage, "ready");
        assert.equal((await world.deliver(two)).stage, "ready");
        const again = await world.announce(three.name);
        assert.equal(
          ((await world.client.workflow.getHandle(again.workflowId).result()) as { stage: string }).stage,
          "duplicate",
        );

        const dataset = world.dataset(name);
        const [product] = dataset.products;
        assert.ok(product);
        const state = await lookAtProduct(dataset, product);
        assert.ok(state);
        const versions = await state.store.versions(10);
        assert.deepEqual(
          versions.map(({ message }) => message.split("\n")[0]?.replace(/:.*/, "")),
          [3, 2, 1].map((sequence) => `${name}/timeseries #${sequence}`),
        );
        const wanted = [
          new Map([[0, one]]),
          new Map([
            [0, one],
            [2, three],
          ]),
          new Map([
            [0, one],
            [1, two],
            [2, three],
          ]),
        ];
        for (const [index, bySlot] of wanted.entries()) {
          const version = versions[versions.length - 1 - index]?.id as string;
          await assertZarritaReads(await state.store.reader(version), bySlot);
          await assertPythonReads(fileURLToPath(product.store), version, bySlot);
        }
      });
    }
  });
}

/** Every numeric array of every granule, decoded from the granule by its references alone, against the store by zarrita. */
async function assertZarritaReads(store: Store, bySlot: ReadonlyMap<number, RealGranule>): Promise<void> {
  let compared = 0;
  for (const [slot, granule] of bySlot) {
    const reader = await openReader(granule.path);
    const found = await scan(reader, { load: [] });
    for (const [name, array] of found.root.arrays) {
      const expected = await readVirtualArray(array, (_uri, offset, length) => reader.read(offset, length));
      const stored = await zarr.open(zarr.root(store as unknown as zarr.AsyncReadable).resolve(name), { kind: "array" });
      const isAlong = stored.shape.length > array.shape.length || array.dimensionNames[0] === "time";
      const selection = stored.shape.map((_, axis) => (axis === 0 && isAlong ? zarr.slice(slot, slot + 1) : null));
      const { data } = stored.shape.length === 0 ? await stored.getChunk([]) : await zarr.get(stored, selection);
      const { buffer, byteOffset, byteLength } = data as Uint8Array;
      const bytes = Buffer.from(buffer, byteOffset, byteLength);
      assert.ok(bytes.equals(expected), `${granule.name}: ${name}`);
      compared++;
    }
    await reader.close();
  }
  assert.ok(compared >= 5 * bySlot.size, `only ${compared} arrays were compared`);
}

async function assertPythonReads(store: string, version: string, bySlot: ReadonlyMap<number, RealGranule>): Promise<void> {
  if (missingPython() !== false) return;
  const comparison = await compareInPython(store, version, new Map([...bySlot].map(([slot, { path }]) => [slot, path])));
  assert.deepEqual(comparison.wrong, []);
  assert.ok(comparison.compared >= 10 * bySlot.size, `only ${comparison.compared} readings were compared`);
  const length = Math.max(...bySlot.keys()) + 1;
  assert.equal(comparison.times.length, length);
  assert.deepEqual(
    comparison.gaps,
    Array.from({ length }, (_, slot) => slot).filter((slot) => !bySlot.has(slot)),
  );
  for (let slot = 1; slot < length; slot++) {
    assert.equal(Date.parse(`${comparison.times[slot]}Z`) - Date.parse(`${comparison.times[slot - 1]}Z`), 86_400_000);
  }
}
