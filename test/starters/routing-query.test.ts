import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { canonicalDataset, parseDatasetFile } from "../../src/dataset/index.ts";
import { openLedger } from "../../src/ledger/index.ts";
import { Router } from "../../src/starters/index.ts";
import { aDatasetFile } from "../dataset/dataset-files.ts";

test("an announced uri with a query string matches no dataset, so that it never gets into Temporal", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "freshet-test-"));
  const ledger = await openLedger(join(folder, "ledger.db"));
  context.after(async () => {
    await ledger.close();
    await rm(folder, { recursive: true });
  });
  for (const dataset of parseDatasetFile(aDatasetFile(), { file: join(folder, "sets.yaml") }).datasets)
    await ledger.putDataset(canonicalDataset(dataset));
  const keysOf = async (uri: string) => (await new Router(ledger).route(uri)).map(({ key }) => key);
  assert.deepEqual(await keysOf("https://agency.example/data/20170605.nc"), ["20170605T000000Z"]);
  assert.deepEqual(await keysOf("https://agency.example/data/20170605.nc?X-Amz-Signature=hush"), []);
  assert.deepEqual(await keysOf("https://agency.example/data/20170605.nc?hush#part"), []);
});
