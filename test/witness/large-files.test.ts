import assert from "node:assert/strict";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { h5wasm } from "h5wasm/node";
import { scan } from "../../src/scan/index.ts";
import { RememberedReads, takeSamples } from "../../src/witness/index.ts";
import { netcdf3Bytes } from "../formats/netcdf3/netcdf3-bytes.ts";
import { throughReferences, withFile } from "./real-files.ts";

const MEGABYTE = 2 ** 20;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "freshet-witness-"));
});
after(() => rm(folder, { recursive: true }));

/** What samples of a file cost beyond its scan; they are what its references give. */
async function cost(
  path: string,
): Promise<{ readonly size: number; readonly bytes: number; readonly requests: number; readonly taken: number }> {
  return withFile(path, async (reader) => {
    const remembered = new RememberedReads(reader);
    const found = await scan(remembered);
    const samples = await takeSamples(remembered, found);
    for (const sample of samples.taken) assert.equal(await throughReferences(found, sample, reader), sample.sha256);
    return { size: reader.size, bytes: samples.bytesRead, requests: samples.requests, taken: samples.taken.length };
  });
}

test("NetCDF-3 of more than 4 GB costs eight records", async () => {
  const [records, y, x] = [20_000, 400, 300];
  const { bytes, at } = netcdf3Bytes({
    version: 2,
    records,
    dimensions: [
      ["time", 0],
      ["y", y],
      ["x", x],
    ],
    variables: [{ name: "v", type: "int16", dimensions: [0, 1, 2], recordValues: [] }],
  });
  // The values are not written by the builder, so it takes none for their size.
  Buffer.from(bytes.buffer).writeUInt32BE(y * x * 2, (at.get("begin v") as number) - 4);
  const path = join(folder, "large.nc");
  const file = await open(path, "w");
  await file.write(bytes);
  // Numbers here and there; the rest is a hole in the file.
  for (let record = 0; record < records; record += 7)
    await file.write(Buffer.of(record % 256), 0, 1, bytes.length + record * y * x * 2);
  await file.truncate(bytes.length + records * y * x * 2);
  await file.close();
  const { size, bytes: read, requests, taken } = await cost(path);
  assert.ok(size > 4 * 1024 * MEGABYTE);
  assert.equal(taken, 8);
  assert.ok(read < 3 * MEGABYTE, `${read} bytes`);
  assert.ok(requests <= 10, `${requests} requests`);
});

test("HDF5 of 128 MiB costs eight chunks", async () => {
  await h5wasm.ready;
  const path = join(folder, "large.h5");
  const values = new Int32Array(32 * MEGABYTE);
  for (let at = 0; at < values.length; at++) values[at] = at * 2_654_435_761;
  const file = new h5wasm.File(path, "w");
  file.create_dataset({ name: "v", data: values, shape: [128, 512, 512], chunks: [1, 256, 256] });
  file.close();
  const { size, bytes, requests, taken } = await cost(path);
  assert.ok(size > 128 * MEGABYTE);
  assert.equal(taken, 8);
  assert.ok(bytes < 4 * MEGABYTE, `${bytes} bytes`);
  assert.ok(requests <= 16, `${requests} requests`);
});
