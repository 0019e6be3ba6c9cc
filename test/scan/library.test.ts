import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as library from "freshet/scan";

test("freshet/scan has these names and no others", () => {
  assert.deepEqual(Object.keys(library).sort(), [
    "FilesBeside",
    "FreshetError",
    "arraysOf",
    "explain",
    "isFreshetError",
    "openReader",
    "readScan",
    "scan",
    "writeScan",
  ]);
});

test("a program scans a file with it, as docs/scanning.md says", async () => {
  const reader = await library.openReader(fileURLToPath(new URL("../data/netcdf4/air.nc", import.meta.url)));
  try {
    const scan = await library.scan(reader, { load: [] });
    const references = [...library.arraysOf(scan.root)].map(([path, { manifest }]) => [path, manifest.at(0).kind]);
    assert.deepEqual(references.sort(), [
      ["/air", "range"],
      ["/lat", "range"],
      ["/lon", "range"],
      ["/time", "range"],
    ]);
    assert.deepEqual(library.readScan(library.writeScan(scan)), scan);
    const { evidence } = await library.explain(reader, scan, "air");
    assert.equal(evidence[0]?.structure, "superblock");
  } finally {
    await reader.close();
  }
});
