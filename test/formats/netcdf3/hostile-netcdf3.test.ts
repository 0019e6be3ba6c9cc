import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { isFreshetError } from "../../../src/errors/index.ts";
import { scanNetcdf3 } from "../../../src/formats/netcdf3/index.ts";
import { withCounters } from "../../../src/storage/index.ts";
import { arraysOf } from "../../../src/virtual/index.ts";
import { memoryReader } from "../../storage/memory-reader.ts";
import { type File, netcdf3Bytes } from "./netcdf3-bytes.ts";

const FILE: File = {
  records: 2,
  dimensions: [
    ["time", 0],
    ["x", 2],
  ],
  attributes: [["title", "char", "hostile"]],
  variables: [
    { name: "x", type: "int32", dimensions: [1], values: [1, 2] },
    {
      name: "v",
      type: "int16",
      dimensions: [0, 1],
      attributes: [["scale", "float32", [0.5]]],
      recordValues: [
        [1, 2],
        [3, 4],
      ],
    },
    { name: "w", type: "int16", dimensions: [0], recordValues: [[5], [6]] },
  ],
};

/** The file with 32-bit numbers overwritten at named places. */
function broken(changes: Readonly<Record<string, number>>, file: File = FILE): Uint8Array {
  const { bytes, at } = netcdf3Bytes(file);
  for (const [place, value] of Object.entries(changes)) {
    const position = at.get(place);
    assert.ok(position !== undefined, `there is a place called ${place}`);
    new DataView(bytes.buffer).setUint32(position, value);
  }
  return bytes;
}

const at = (place: string): number => netcdf3Bytes(FILE).at.get(place) as number;
const scanOf = (bytes: Uint8Array) => scanNetcdf3(memoryReader(bytes));

describe("a file whose header breaks the rules is refused with one sentence", () => {
  const remedy = ". Fetch the file again; if it stays so, the producer's copy is damaged";
  const size = netcdf3Bytes(FILE).bytes.length;
  const cases: readonly (readonly [what: string, bytes: () => Uint8Array, kind: string, message: string])[] = [
    [
      "an empty file",
      () => new Uint8Array(0),
      "unknown-format",
      'not a NetCDF classic file: found an empty file, expected "CDF" and version 1, 2 or 5 (memory:test, byte 0)',
    ],
    [
      "a wrong magic",
      () => broken({ records: 0 }).fill(0x41, 0, 3),
      "unknown-format",
      'not a NetCDF classic file: found 41 41 41 01, expected "CDF" and version 1, 2 or 5 (memory:test, byte 0)',
    ],
    [
      "a version that does not exist",
      () => broken({ records: 0 }).fill(3, 3, 4),
      "unknown-format",
      'not a NetCDF classic file: found 43 44 46 03, expected "CDF" and version 1, 2 or 5 (memory:test, byte 0)',
    ],
    [
      "a negative number of records",
      () => broken({ records: 0xfffffffe }),
      "malformed",
      "the number of records is out of range: found -2, expected 0 to 2^53 - 1 (memory:test, byte 8)",
    ],
    [
      "a wrong tag",
      () => broken({ "tag of dimensions": 12 }),
      "malformed",
      "the list of dimensions begins with a wrong tag: found 12, expected 10, or 0 for none (memory:test, byte 12)",
    ],
    [
      "an absent list with elements",
      () => broken({ "tag of dimensions": 0 }),
      "malformed",
      "the list of dimensions is marked absent, but not empty: found 2 elements, expected 0 (memory:test, byte 16)",
    ],
    [
      "more dimensions than the file has room for",
      () => broken({ "count of dimensions": 0x7fffffff }),
      "truncated",
      `the list of dimensions does not fit into the file: found ${size - 16} bytes to its end, expected at least 17179869176 (memory:test, byte 16)${remedy}`,
    ],
    [
      "a negative number of variables",
      () => broken({ "count of variables": 0xffffffff }),
      "malformed",
      `the length of the list of variables is out of range: found -1, expected 0 to 2^53 - 1 (memory:test, byte ${at("count of variables") + 4})`,
    ],
    [
      "a negative dimension",
      () => broken({ "dimension x": 0x80000000 }),
      "malformed",
      `the length of dimension "x" is out of range: found -2147483648, expected 0 to 2^53 - 1 (memory:test, byte ${at("dimension x") + 4})`,
    ],
    [
      "two record dimensions",
      () => broken({ "dimension x": 0 }),
      "malformed",
      `there are two record dimensions: found "time" and "x", expected at most one (memory:test, byte ${at("dimension x") + 4})`,
    ],
    [
      "a dimension id out of range",
      () => broken({ "dimension 0 of x": 7 }),
      "malformed",
      `variable "x" names a dimension that is not there: found id 7, expected less than 2 (memory:test, byte ${at("dimension 0 of x") + 4})`,
    ],
    [
      "the record dimension in the second place",
      () => broken({ "dimension 1 of v": 0 }),
      "malformed",
      `variable "v" has the record dimension in a wrong place: found axis 1, expected axis 0 (memory:test, byte ${at("dimension 1 of v") + 4})`,
    ],
    [
      "a rank without end",
      () => broken({ "rank x": 0x7fffffff }),
      "truncated",
      `the shape of variable "x" does not fit into the file: found ${size - at("rank x") - 4} bytes to its end, expected at least 8589934588 (memory:test, byte ${at("rank x") + 4})${remedy}`,
    ],
    [
      "an unknown type",
      () => broken({ "type x": 7 }),
      "malformed",
      `variable "x" has an unknown type: found 7, expected 1 to 6 (memory:test, byte ${at("type x") + 4})`,
    ],
    [
      "an attribute longer than the file",
      () => broken({ "length of scale": 0x10000000 }),
      "truncated",
      `attribute "scale" of variable "v" does not fit into the file: found ${size - at("length of scale") - 4} bytes to its end, expected at least 1073741824 (memory:test, byte ${at("length of scale") + 4})${remedy}`,
    ],
    [
      "two variables of one name",
      () =>
        netcdf3Bytes({
          variables: [
            { name: "a", type: "int8", values: [1] },
            { name: "a", type: "int8", values: [2] },
          ],
        }).bytes,
      "malformed",
      'two variables have the same name: found "a" (memory:test, byte 96)',
    ],
    [
      "two dimensions of one name",
      () =>
        netcdf3Bytes({
          dimensions: [
            ["a", 1],
            ["a", 2],
          ],
        }).bytes,
      "malformed",
      'two dimensions have the same name: found "a" (memory:test, byte 40)',
    ],
    [
      "two attributes of one name",
      () =>
        netcdf3Bytes({
          attributes: [
            ["a", "int8", [1]],
            ["a", "int8", [2]],
          ],
        }).bytes,
      "malformed",
      'the file has two attributes of the same name: found "a" (memory:test, byte 64)',
    ],
    [
      "a file that ends in its header",
      () => netcdf3Bytes(FILE).bytes.slice(0, 30),
      "truncated",
      `the list of dimensions does not fit into the file: found 14 bytes to its end, expected at least 16 (memory:test, byte 16)${remedy}`,
    ],
  ];
  for (const [what, bytes, kind, message] of cases) {
    test(what, async () => {
      await assert.rejects(scanOf(bytes()), (error) => {
        assert.ok(isFreshetError(error));
        assert.deepEqual([error.kind, error.message], [kind, message]);
        return true;
      });
    });
  }

  test("a variable beyond 2^53 bytes", async () => {
    const dimensions = [
      ["a", 2 ** 40],
      ["b", 2 ** 40],
    ] as const;
    const { bytes } = netcdf3Bytes({ version: 5, dimensions, variables: [{ name: "v", type: "int8", dimensions: [0, 1] }] });
    await assert.rejects(
      scanOf(bytes),
      /^FreshetError: variable "v" is too large: found 1\.2.*e\+24 bytes, expected at most 2\^53 - 1/,
    );
  });

  test("a header beyond 64 MiB, of which no more than the first reads are made", async () => {
    const { bytes } = broken200Megabytes();
    const reader = withCounters(bytes);
    await assert.rejects(
      scanNetcdf3(reader),
      /^FreshetError: the NetCDF header is too large: found at least 100000\d+ bytes, expected at most 67108864/,
    );
    assert.ok(reader.bytes < 100_000);
  });
});

/** A source that says it has 200 MB, with an attribute of 100 MB; only what is asked for is made. */
function broken200Megabytes() {
  const { bytes, at: places } = netcdf3Bytes({ attributes: [["huge", "char", "x"]] });
  new DataView(bytes.buffer).setUint32(places.get("length of huge") as number, 100_000_000);
  const head = memoryReader(bytes);
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    const made = new Uint8Array(length);
    made.set(bytes.subarray(offset, offset + length));
    return made;
  };
  return { bytes: { ...head, size: 200_000_000, read } };
}

describe("a variable whose values are not in the file is refused alone", () => {
  const outcomesOf = async (bytes: Uint8Array) => {
    const { outcomes, root } = await scanOf(bytes);
    assert.deepEqual(
      [...root.arrays.keys()],
      outcomes.filter((item) => item.outcome === "referenced").map((item) => item.path.slice(1)),
    );
    return Object.fromEntries(outcomes.map(({ path, reason }) => [path, reason]));
  };
  const end = at("end of header");
  const size = netcdf3Bytes(FILE).bytes.length;

  test("because the file was cut off", async () => {
    // x takes 8 bytes, v and w 4 each a record; w's last padding is not missed.
    assert.deepEqual(await outcomesOf(netcdf3Bytes(FILE).bytes.slice(0, size - 2)), { "/x": "", "/v": "", "/w": "" });
    assert.deepEqual(await outcomesOf(netcdf3Bytes(FILE).bytes.slice(0, size - 3)), {
      "/x": "",
      "/v": "",
      "/w": `its values lie in bytes ${end + 12} to ${size - 2}, but the file ends at ${size - 3}`,
    });
    assert.deepEqual(await outcomesOf(netcdf3Bytes(FILE).bytes.slice(0, end)), {
      "/x": `its values lie in bytes ${end} to ${end + 8}, but the file ends at ${end}`,
      "/v": `its values lie in bytes ${end + 8} to ${end + 20}, but the file ends at ${end}`,
      "/w": `its values lie in bytes ${end + 12} to ${end + 22}, but the file ends at ${end}`,
    });
  });

  test("because it begins behind the end, before it, or inside the header", async () => {
    assert.equal(
      (await outcomesOf(broken({ "begin x": 0x7fffffff })))["/x"],
      `its values lie in bytes 2147483647 to 2147483655, but the file ends at ${size}`,
    );
    assert.equal(
      (await outcomesOf(broken({ "begin x": 0xfffffff0 })))["/x"],
      `it begins at byte -16, inside the header of ${end} bytes`,
    );
    assert.equal((await outcomesOf(broken({ "begin v": 8 })))["/v"], `it begins at byte 8, inside the header of ${end} bytes`);
  });

  test("because there are fewer records than the file says, however many it says", async () => {
    const outcomes = await outcomesOf(broken({ records: 0x7fffffff }));
    assert.equal(outcomes["/x"], "");
    assert.match(outcomes["/v"] ?? "", /^its values lie in bytes \d+ to 17179869/);
  });

  test("because its name is no name", async () => {
    const { bytes } = netcdf3Bytes({
      variables: [
        { name: "a/b", type: "int8", values: [1] },
        { name: "", type: "int8", values: [1] },
      ],
    });
    assert.deepEqual(await outcomesOf(bytes), {
      "/a/b": "its name is empty or contains /",
      "/": "its name is empty or contains /",
    });
  });

  test("because the references of the file would be too many", async () => {
    const { bytes, at: places } = netcdf3Bytes({
      dimensions: [["time", 0]],
      variables: [{ name: "v", type: "int8", dimensions: [0], recordValues: [[1]] }],
    });
    new DataView(bytes.buffer).setUint32(places.get("records") as number, 0x7fffffff);
    const { outcomes } = await scanNetcdf3({
      ...memoryReader(bytes),
      size: 2 ** 32,
      read: async (offset, length) => {
        const made = new Uint8Array(length);
        made.set(bytes.subarray(offset, offset + length));
        return made;
      },
    });
    assert.deepEqual(outcomes, [
      { path: "/v", outcome: "refused", reason: "its 2147483647 chunks bring the file to more than 33554432 references" },
    ]);
  });
});

test("whatever bytes are changed, a scan ends in outcomes inside the file or in one FreshetError", async () => {
  const real = new Uint8Array(await readFile(new URL("../../data/netcdf3/ref_nctest_classic.nc", import.meta.url)));
  const bases = [
    netcdf3Bytes(FILE).bytes,
    netcdf3Bytes({ ...FILE, version: 5 }).bytes,
    netcdf3Bytes({ ...FILE, version: 2, records: "streaming" }).bytes,
    real,
  ];
  let seed = 20261121;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const INTERESTING = [0, 1, 4, 0x7f, 0x80, 0xff];
  const ends = { scanned: 0, refused: 0, failed: 0 };
  for (let round = 0; round < 4000; round++) {
    const base = bases[round % bases.length] as Uint8Array;
    const bytes = base.slice(0, round % 5 === 0 ? random(base.length) : base.length);
    const header = Math.min(bytes.length, 700);
    for (let change = 0; change <= random(4); change++) {
      bytes[random(header)] = random(2) === 0 ? random(256) : (INTERESTING[random(INTERESTING.length)] as number);
    }
    const reader = withCounters(memoryReader(bytes));
    try {
      const { root, outcomes } = await scanNetcdf3(reader);
      for (const [path, array] of arraysOf(root)) {
        for (let cell = 0; cell < array.manifest.cells; cell++) {
          const reference = array.manifest.at(cell);
          assert.ok(
            reference.kind === "range" && reference.offset >= 0 && reference.offset + reference.length <= bytes.length,
            path,
          );
        }
      }
      if (outcomes.some((item) => item.outcome === "refused")) ends.refused++;
      else ends.scanned++;
    } catch (error) {
      assert.ok(isFreshetError(error, "malformed", "truncated", "unsupported", "unknown-format"), `round ${round}: ${error}`);
      ends.failed++;
    }
    assert.ok(reader.bytes <= bytes.length);
  }
  assert.ok(Math.min(...Object.values(ends)) > 100, `every end is reached: ${JSON.stringify(ends)}`);
});
