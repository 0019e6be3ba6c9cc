import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { describe, test } from "node:test";
import { isFreshetError } from "../../src/errors/index.ts";
import { type Scan, scan } from "../../src/scan/index.ts";
import { DecoderThread, takeSamples } from "../../src/witness/index.ts";
import { memoryReader } from "../storage/memory-reader.ts";
import { data, filesBelow } from "./real-files.ts";

const thread = new DecoderThread();
const GOOD = data("netcdf4/netcdf4_classic.nc");

/** Asks about bytes that are not those of the scan. Either it says why nothing is known, or that something else is there. */
async function ask(found: Scan, bytes: Uint8Array): Promise<"nothing" | "other" | "same"> {
  const reader = memoryReader(bytes);
  try {
    const { taken, loaded, passedOver } = await takeSamples(
      reader,
      { ...found, uri: reader.uri, identity: reader.identity },
      { thread },
    );
    if (taken.length + loaded.length > 0) return "same";
    assert.ok(passedOver.length > 0, "it says nothing");
    return "nothing";
  } catch (error) {
    assert.ok(isFreshetError(error, "corrupt"), String(error));
    return "other";
  }
}

async function good(path: string): Promise<{ readonly found: Scan; readonly bytes: Uint8Array }> {
  const bytes = new Uint8Array(await readFile(path));
  return { bytes, found: await scan(memoryReader(bytes)) };
}

/** After whatever came before, the same thread says what it always says. */
async function requireSane(): Promise<void> {
  const { found, bytes } = await good(GOOD);
  assert.equal(await ask(found, bytes), "same");
}

describe("files that are not what they were", () => {
  for (const path of [GOOD, data("netcdf4/ref_groups.h5"), data("hdf5/btreev2.hdf5"), data("netcdf3/ref_nctest_classic.nc")]) {
    test(`${basename(path)}, cut off anywhere`, async () => {
      const { found, bytes } = await good(path);
      for (let part = 0; part < 16; part++) await ask(found, bytes.slice(0, Math.floor((bytes.length * part) / 16)));
      assert.equal(await ask(found, bytes.slice(0, 40)), "nothing");
      await requireSane();
    });

    test(`${basename(path)}, a byte changed here and there`, async () => {
      const { found, bytes } = await good(path);
      // A generator of its own (Park and Miller): every run tries the same.
      let state = 20_201;
      const random = (limit: number): number => {
        state = (state * 48_271) % 2_147_483_647;
        return state % limit;
      };
      for (let round = 0; round < 60; round++) {
        const damaged = bytes.slice();
        for (let change = 0; change < 6; change++) damaged[random(Math.min(bytes.length, 4096))] = random(256);
        await ask(found, damaged);
      }
      await requireSane();
    });
  }

  test("files that have killed other readers, taken for a good one", async () => {
    const { found } = await good(GOOD);
    const files = filesBelow(data("bad"));
    assert.ok(files.length >= 4);
    for (const path of files) assert.notEqual(await ask(found, new Uint8Array(await readFile(path))), "same");
    await requireSane();
  });

  test("a NetCDF-3 header that promises more than there is", async () => {
    const { found, bytes } = await good(data("netcdf3/ref_nctest_classic.nc"));
    for (const at of [8, 12]) {
      const damaged = bytes.slice();
      damaged.fill(0xff, at, at + 4);
      assert.notEqual(await ask(found, damaged), "same");
    }
  });
});
