import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isFreshetError } from "../../src/errors/index.ts";
import { type Explanation, explain, scan } from "../../src/scan/index.ts";
import { openFileReader } from "../../src/storage/index.ts";

async function explained(file: string, name: string): Promise<Explanation> {
  const reader = await openFileReader(fileURLToPath(new URL(`../data/${file}`, import.meta.url)));
  try {
    return await explain(reader, await scan(reader, { load: [] }), name);
  } finally {
    await reader.close();
  }
}

const structures = ({ evidence }: Explanation) => evidence.map(({ structure }) => structure);

describe("why a variable ended as it did", () => {
  test("is told by the messages of its header and by its chunk index, with their offsets in the file", async () => {
    const found = await explained("hdf5/btree_idx_1_6.h5", "dset");
    assert.deepEqual([found.path, found.outcome, found.reason], ["/dset", "referenced", ""]);
    const bytes = await openFileReader(fileURLToPath(new URL("../data/hdf5/btree_idx_1_6.h5", import.meta.url)));
    const node = found.evidence.find(({ structure }) => structure === "B-tree node, version 1");
    const layout = found.evidence.find(({ structure }) => structure === "data layout message");
    assert.equal(layout?.says, `chunks of 2; index: B-tree, version 1, at ${node?.offset}`);
    assert.equal(Buffer.from(await bytes.read(node?.offset ?? 0, 4)).toString(), "TREE");
    assert.match(node?.says ?? "", /^level 0, \d+ entries$/);
    await bytes.close();
  });

  test("is told of a refused one as far as it could be read", async () => {
    const found = await explained("hdf5/filter_error.h5", "dataset_with_filter");
    assert.equal(found.outcome, "refused");
    assert.ok(structures(found).includes("filter pipeline message"));
    assert.deepEqual(found.evidence.at(-1)?.structure, "end of the reading");
    assert.ok(found.evidence.at(-1)?.says.startsWith(found.reason), `${found.evidence.at(-1)?.says} / ${found.reason}`);
  });

  test("of a null dataspace, of NetCDF classic, in a group", async () => {
    const none = await explained("hdf5/tnullspace.h5", "dset");
    assert.equal(none.evidence.find(({ structure }) => structure === "dataspace message")?.says, "null: no elements");
    const classic = await explained("netcdf3/madis-sao.nc", "temperature");
    assert.deepEqual(classic.evidence.at(-1), {
      offset: 49184,
      structure: "values",
      says: "the first of 178 records of 4 bytes, one every 1220 bytes",
    });
    const group = await explained("netcdf4/ref_groups.h5", "/MyGroup/Group_A/dset2");
    assert.ok(structures(group).length > 3);
  });

  test("is not told of what is not there, or not clear", async () => {
    await assert.rejects(explained("netcdf4/air.nc", "nothing"), (error) => {
      assert.ok(isFreshetError(error, "usage"));
      assert.match(error.message, /no such variable: found nothing, expected one of .*\/air/);
      return true;
    });
  });
});
