import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Scan, writeScan } from "../../src/scan/index.ts";
import { missingPython, PYTHON } from "../support/python.ts";
import { aGroup, anArray, inline, range } from "./virtual-arrays.ts";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "freshet-artefact-"));
});
after(() => rm(folder, { recursive: true, force: true }));

const aScan = (root: Scan["root"]): Scan => ({
  uri: "https://example.org/ä.nc",
  identity: { size: 2 ** 40 },
  format: "hdf5",
  root,
  outcomes: [],
  requests: 1,
  bytesRead: 1,
  roundTrips: 1,
});

describe("a stored scan", () => {
  test("is read by five lines of Python", { skip: missingPython() }, async () => {
    const far = 2 ** 40;
    const chunks = [range("a", far, 10), undefined, inline(Uint8Array.of(1, 2)), range("b", 5, 7), range("a", far + 10, 20)];
    const arrays = [anArray({ name: "v", shape: [5], chunkShape: [1], chunks })];
    const path = join(folder, "scan");
    await writeFile(path, writeScan(aScan(aGroup(arrays))));
    const script = fileURLToPath(new URL("./read_scan.py", import.meta.url));
    const { stdout } = await promisify(execFile)(PYTHON as string, [script, path]);
    assert.deepEqual(JSON.parse(stdout), {
      uri: "https://example.org/ä.nc",
      uris: ["a", "b"],
      arrays: ["v"],
      cells: [0, 0xffff_ffff, 0xffff_ffff, 1, 0],
      offsets: [far, 5, far + 10],
      lengths: [10, 7, 20],
      inline: "0102",
    });
  });
});
