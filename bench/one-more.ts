import { rm } from "node:fs/promises";
import { summarize } from "./figures.ts";
import { fill } from "./growth.ts";
import { LargeProduct } from "./large-product.ts";
import { publishOne } from "./publish-one.ts";

const TURNS = 15;

/**
 * One granule more (ten arrays of one chunk) on an hourly calendar with so many already in Icechunk: the sizes in turn, so that the
 * machine's load is in each alike. Milliseconds, and how many times as long as with the fewest.
 */
export async function oneMore(sizes: readonly number[], say: (line: string) => void) {
  const products: { readonly granules: number; readonly product: LargeProduct; readonly slots: number; readonly ms: number[] }[] =
    [];
  for (const granules of sizes) {
    const product = await LargeProduct.start();
    const slots = Math.ceil((granules * 50) / 49);
    await fill(product, slots, say);
    say(`${granules} granules are there`);
    products.push({ granules, product, slots, ms: [] });
  }
  // The first one brings its code and its pages with it.
  for (let turn = -1; turn < TURNS; turn++) {
    for (const { product, slots, ms } of products) {
      await product.makeReady([slots + 1 + turn]);
      const { spans } = await publishOne(product);
      if (turn >= 0) ms.push([...spans.values()].reduce((sum, span) => sum + span, 0));
    }
  }
  const rows: Record<string, string | number>[] = [];
  const first = summarize(products[0]?.ms ?? []).p50;
  for (const { granules, product, ms } of products) {
    const { p50, p95 } = summarize(ms);
    rows.push({ granules, p50, p95, "times the first": Math.round((100 * p50) / first) / 100 });
    await product.ledger.close();
    await rm(product.folder, { recursive: true, force: true });
  }
  return rows;
}
