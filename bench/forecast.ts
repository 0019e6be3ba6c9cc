import { rm } from "node:fs/promises";
import { type Parts, partRows, round, summarize } from "./figures.ts";
import { LargeProduct, LEADS, REFERENCES } from "./large-product.ts";
import { publishOne } from "./publish-one.ts";

const RUNS_A_DAY = 4;

/**
 * A forecast run of 49 files that come one by one, each published in all views: into a forecast that has runs of so many days already, and into one that has a single run, in turn.
 * Milliseconds by part, and the seconds of the whole run.
 */
export async function forecast(days: readonly number[], say: (line: string) => void) {
  const products: { readonly about: Readonly<Record<string, string | number>>; product: LargeProduct; runs: number }[] = [];
  for (const runs of [1, ...days.map((day) => day * RUNS_A_DAY)]) {
    const product = await LargeProduct.start("forecast");
    const started = performance.now();
    await product.makeReady(Array.from({ length: runs * LEADS }, (_, slot) => slot));
    await product.settle((granules) => say(`  ${granules} granules, ${round((performance.now() - started) / 1000)} s`));
    say(`${runs} runs, ${runs * LEADS * REFERENCES} references in ${round((performance.now() - started) / 1000)} s`);
    products.push({ about: { "runs before": runs }, product, runs });
  }
  const parts = products.map((): Parts[] => []);
  for (let lead = 0; lead < LEADS; lead++) {
    for (const [index, { product, runs }] of products.entries()) {
      await product.makeReady([runs * LEADS + lead]);
      parts[index]?.push(await publishOne(product));
    }
    if (lead % 10 === 0) say(`  file ${lead + 1} of ${LEADS}`);
  }
  const rows: Record<string, string | number>[] = [];
  let first = Number.NaN;
  for (const [index, { about, product }] of products.entries()) {
    const runs = parts[index] as Parts[];
    const totals = runs.map(({ spans }) => [...spans.values()].reduce((sum, ms) => sum + ms, 0));
    const { p50 } = summarize(totals);
    if (index === 0) first = p50;
    rows.push(...partRows(runs, about));
    Object.assign(rows.at(-1) as object, {
      "whole run, s": round(totals.reduce((sum, ms) => sum + ms, 0) / 1000),
      "times the first": Math.round((100 * p50) / first) / 100,
    });
    await product.ledger.close();
    await rm(product.folder, { recursive: true, force: true });
  }
  return rows;
}
