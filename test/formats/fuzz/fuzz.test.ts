import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { mutate } from "./mutate.ts";
import { Random } from "./random.ts";
import { scanCase } from "./scan-case.ts";

const SEED = 20_26;
const CASES_OF_A_FILE = 30;
const MOST_BYTES = 40_000;
/** Beyond what the process had before: `npm run fuzz` measures each scan against 512 MiB. */
const MOST_MEMORY = 512 * 2 ** 20;

const folders = [
  "../../data/hdf5/",
  "../../data/netcdf4/",
  "../../data/netcdf3/",
  "../../data/bad/",
  "../../data/made/",
  "../hdf5/made/",
];

async function smallFiles(): Promise<readonly (readonly [name: string, bytes: Uint8Array])[]> {
  const files: (readonly [string, Uint8Array])[] = [];
  for (const folder of folders) {
    const base = new URL(folder, import.meta.url);
    for (const name of (await readdir(base)).sort()) {
      const bytes = new Uint8Array(await readFile(new URL(name, base)));
      if (bytes.length <= MOST_BYTES && !/\.(json|dat|txt|cdl)$/.test(name)) files.push([name, bytes]);
    }
  }
  return files;
}

describe(`damaged files (seed ${SEED}; npm run fuzz goes on)`, async () => {
  const files = await smallFiles();
  assert.ok(files.length > 40);
  const before = process.memoryUsage().rss;
  for (const [index, [name, bytes]] of files.entries()) {
    const format = bytes[0] === 0x43 ? "netcdf3" : "hdf5";
    test(`made of ${name} are scanned, or refused with an error of ours`, { timeout: 30_000 }, async () => {
      for (let number = 0; number < CASES_OF_A_FILE; number++) {
        const seed = SEED * 1_000_000 + index * 1000 + number;
        await assert.doesNotReject(scanCase(mutate(bytes, new Random(seed)), format), `${name}, seed ${seed}`);
      }
      const grown = process.memoryUsage().rss - before;
      assert.ok(grown < MOST_MEMORY, `${grown} bytes more than before`);
    });
  }
});
