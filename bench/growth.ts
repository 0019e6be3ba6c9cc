import { rm } from "node:fs/promises";
import { type Parts, partRows, round } from "./figures.ts";
import { GAP_EVERY, LargeProduct, REFERENCES } from "./large-product.ts";
import { publishOne } from "./publish-one.ts";

const REPEATS = 15;
/** One granule more, in a product of so many references already: milliseconds by part, for three ways to come. */
export async function growth(sizes: readonly number[], say: (line: string) => void) {
  const rows: Record<string, string | number>[] = [];
  for (const references of sizes) {
    const product = await LargeProduct.start();
    const granules = references / REFERENCES;
    const slots = Math.ceil(granules / (1 - 1 / GAP_EVERY));
    const started = performance.now();
    await fill(product, slots, say);
    const seconds = (performance.now() - started) / 1000;
    say(`${references} references: ${granules} granules in ${seconds.toFixed(1)} s`);
    const gaps = Array.from({ length: Math.floor(slots / GAP_EVERY) }, (_, index) => (index + 1) * GAP_EVERY - 1);
    const ways: [string, (turn: number) => number][] = [
      ["append", (turn) => slots + turn],
      ["late", (turn) => gaps[Math.floor((gaps.length * (turn + 0.5)) / (REPEATS + 1))] ?? slots + 1000 + 2 * turn],
      ["replace", (turn) => Math.floor((slots * (turn + 0.5)) / (REPEATS + 1))],
    ];
    for (const [way, slotOf] of ways) {
      const runs: Parts[] = [];
      for (let turn = 0; turn < REPEATS + 1; turn++) {
        await product.makeReady([slotOf(turn)]);
        const parts = await publishOne(product);
        // The first one of a kind brings its code and its pages with it.
        if (turn > 0) runs.push(parts);
      }
      rows.push(...partRows(runs, { references, way }));
    }
    const cold: Parts[] = [];
    for (let turn = 0; turn < 3; turn++) {
      await product.makeReady([slots + 2000 + turn]);
      product.publisher = product.newPublisher();
      cold.push(await publishOne(product));
    }
    rows.push(...partRows(cold, { references, way: "append, cold" }));
    await product.ledger.close();
    await rm(product.folder, { recursive: true, force: true });
  }
  return rows;
}

/** Everything but the slots that are left free. */
export async function fill(product: LargeProduct, slots: number, say: (line: string) => void): Promise<void> {
  const started = performance.now();
  const all = Array.from({ length: slots }, (_, slot) => slot).filter((slot) => slot % GAP_EVERY !== GAP_EVERY - 1);
  for (let at = 0; at < all.length; at += 20_000) {
    await product.makeReady(all.slice(at, at + 20_000));
    await product.settle((granules) => {
      if (granules % 20_000 === 0) say(`  ${granules} granules, ${round((performance.now() - started) / 1000)} s`);
    });
  }
}
