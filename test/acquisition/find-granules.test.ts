import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findGranules } from "../../src/acquisition/find-granules.ts";
import { type Dataset, parseDatasetFile } from "../../src/dataset/index.ts";

test("a search for swaths of a span goes by the instant at which they begin", async () => {
  const folder = await mkdtemp(join(tmpdir(), "freshet-find-"));
  try {
    for (const name of ["s20180401-e20180402.nc", "s20180402-e20180403.nc", "s20180403-e20180404.nc", "other.nc"])
      await writeFile(join(folder, name), "");
    const text = `
sources: { s: { at: "${folder}/", listing: { every: 1h } } }
---
name: d
from: { source: s }
match: "s{start:%Y%m%d}-e{end:%Y%m%d}.nc"
products: [ { collection: { along: granule, order: [start], store: /store } } ]`;
    const [dataset] = parseDatasetFile(text, { file: "/x.yaml" }).datasets as [Dataset];
    const span = { fromMs: Date.UTC(2018, 3, 2), toMs: Date.UTC(2018, 3, 3, 12) };
    const { uris } = await findGranules(dataset, { by: "listing", ...span }, undefined, new AbortController().signal);
    assert.deepEqual(uris.map((uri) => uri.slice(uri.lastIndexOf("/") + 1)).sort(), [
      "s20180402-e20180403.nc",
      "s20180403-e20180404.nc",
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
