import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import type { FormatOptions } from "../../../src/formats/format-scan.ts";
import { scanNetcdf3 } from "../../../src/formats/netcdf3/index.ts";
import { readVirtualArray } from "../../../src/scan/index.ts";
import { openFileReader, withCounters } from "../../../src/storage/index.ts";
import { type Attributes, describeDataType, elementSize } from "../../../src/virtual/index.ts";
import { memoryReader } from "../../storage/memory-reader.ts";
import { type File, netcdf3Bytes } from "./netcdf3-bytes.ts";

interface Expected {
  readonly attributes: readonly ExpectedAttribute[];
  readonly variables: readonly {
    readonly name: string;
    readonly type: string;
    readonly dimensions: readonly (readonly [name: string, length: number])[];
    readonly attributes: readonly ExpectedAttribute[];
    readonly sha256: string;
  }[];
}
type ExpectedAttribute = readonly [name: string, type: string, values: readonly string[]];

const data = new URL("../../data/netcdf3/", import.meta.url);
const expectedFolder = new URL("expected/", import.meta.url);

/** Attributes as expected.py writes them; numbers as numbers, so that 1e-05 is 0.00001. */
function plain(attributes: Attributes): unknown[] {
  return [...attributes].map(([name, attribute]) =>
    attribute.type === "text" ? [name, "text", [attribute.value]] : [name, attribute.type, attribute.value],
  );
}

function parsed(attributes: readonly ExpectedAttribute[]): unknown[] {
  return attributes.map(([name, type, values]) => {
    if (type === "text") return [name, type, values];
    return [
      name,
      type,
      type.endsWith("int64") ? values.map(BigInt) : values.map((value) => Number(value.replace("inf", "Infinity"))),
    ];
  });
}

describe("real files are read as netCDF-C reads them", async () => {
  const names = (await readdir(expectedFolder)).filter((name) => name.endsWith(".json"));
  assert.equal(names.length, 7);
  for (const name of names) {
    test(name.replace(/\.json$/, ".nc"), async () => {
      const expected = JSON.parse(await readFile(new URL(name, expectedFolder), "utf8")) as Expected;
      const reader = await openFileReader(new URL(name.replace(/\.json$/, ".nc"), data).href);
      const { root, outcomes } = await scanNetcdf3(reader);
      assert.deepEqual(plain(root.attributes), parsed(expected.attributes));
      assert.deepEqual(
        outcomes,
        expected.variables.map((variable) => ({ path: `/${variable.name}`, outcome: "referenced", reason: "" })),
      );
      for (const variable of expected.variables) {
        const array = root.arrays.get(variable.name);
        assert.ok(array !== undefined);
        assert.equal(describeDataType(array.dataType), variable.type, variable.name);
        assert.deepEqual(
          array.dimensionNames.map((dimension, axis) => [dimension, array.shape[axis]]),
          variable.dimensions,
        );
        assert.deepEqual(plain(array.attributes), parsed(variable.attributes), variable.name);
        const values = await readVirtualArray(array, (_, offset, length) => reader.read(offset, length));
        assert.equal(createHash("sha256").update(values).digest("hex"), variable.sha256, `values of ${variable.name}`);
      }
      await reader.close();
    });
  }
});

async function scanned(file: File, options: FormatOptions = {}) {
  const { bytes } = netcdf3Bytes(file);
  const reader = memoryReader(bytes);
  const scan = await scanNetcdf3(reader, options);
  const arrayOf = (name: string) => {
    const array = scan.root.arrays.get(name);
    assert.ok(array !== undefined, `${name} is referenced`);
    return array;
  };
  const read = (name: string) => readVirtualArray(arrayOf(name), (_, offset, length) => reader.read(offset, length));
  return { bytes, scan, arrayOf, read };
}

const numbers = (bytes: Uint8Array, type: Int16ArrayConstructor | Int32ArrayConstructor | Float64ArrayConstructor) => [
  ...new type(bytes.slice().buffer),
];

describe("records", () => {
  test("of several variables are padded to four bytes each", async () => {
    const { arrayOf, read } = await scanned({
      records: 2,
      dimensions: [
        ["time", 0],
        ["x", 3],
      ],
      variables: [
        {
          name: "a",
          type: "int16",
          dimensions: [0, 1],
          recordValues: [
            [1, 2, 3],
            [4, 5, 6],
          ],
        },
        { name: "b", type: "char", dimensions: [0], recordValues: [[65], [66]] },
      ],
    });
    assert.deepEqual(arrayOf("a").shape, [2, 3]);
    assert.deepEqual(arrayOf("a").chunkShape, [1, 3]);
    assert.deepEqual(arrayOf("a").codecs, [{ name: "bytes", configuration: { endian: "big" } }]);
    const [first, second] = arrayOf("a").manifest.offsets;
    assert.equal((second as number) - (first as number), 8 + 4);
    assert.deepEqual([...arrayOf("a").manifest.lengths], [6, 6]);
    assert.deepEqual(numbers(await read("a"), Int16Array), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual([...(await read("b"))], [65, 66]);
  });

  test("of a single variable of a small type are not padded", async () => {
    const { arrayOf, read, bytes } = await scanned({
      records: 5,
      dimensions: [["time", 0]],
      variables: [{ name: "only", type: "int16", dimensions: [0], recordValues: [[1], [2], [3], [4], [5]] }],
    });
    assert.deepEqual(arrayOf("only").shape, [5]);
    assert.deepEqual(numbers(await read("only"), Int16Array), [1, 2, 3, 4, 5]);
    assert.equal((arrayOf("only").manifest.offsets[4] as number) + 2, bytes.length);
  });

  test("of a streaming file are counted by its size, an incomplete last one not", async () => {
    const file: File = {
      records: "streaming",
      dimensions: [["time", 0]],
      variables: [
        { name: "a", type: "int32", dimensions: [0], recordValues: [[7], [8], [9]] },
        { name: "b", type: "int8", dimensions: [0], recordValues: [[1], [2], [3]] },
      ],
    };
    for (const version of [1, 2, 5] as const) {
      assert.deepEqual((await scanned({ ...file, version })).arrayOf("a").shape, [3], `CDF-${version}`);
    }
    const { bytes } = netcdf3Bytes(file);
    const countOf = async (missing: number) =>
      (await scanNetcdf3(memoryReader(bytes.slice(0, bytes.length - missing)))).root.arrays.get("a")?.shape;
    assert.deepEqual(await countOf(3), [3], "the padding behind the last value may be absent");
    assert.deepEqual(await countOf(4), [2]);
    assert.deepEqual(await countOf(12), [2 - 1]);
    assert.deepEqual(await countOf(24), [0]);
  });

  test("may be none", async () => {
    const { arrayOf, scan, read } = await scanned({
      records: 0,
      dimensions: [
        ["time", 0],
        ["x", 2],
      ],
      variables: [
        { name: "a", type: "float32", dimensions: [0, 1], recordValues: [] },
        { name: "x", type: "int16", dimensions: [1], values: [10, 20] },
      ],
    });
    assert.deepEqual(arrayOf("a").shape, [0, 2]);
    assert.deepEqual(arrayOf("a").chunkShape, [1, 2]);
    assert.equal(arrayOf("a").manifest.cells, 0);
    assert.deepEqual(
      scan.outcomes.map((outcome) => outcome.outcome),
      ["referenced", "referenced"],
    );
    assert.deepEqual(numbers(await read("x"), Int16Array), [10, 20]);
  });
});

describe("types and attributes", () => {
  test("CDF-5 has all eleven types, as values and as attributes", async () => {
    const types = [
      "int8",
      "char",
      "int16",
      "int32",
      "float32",
      "float64",
      "uint8",
      "uint16",
      "uint32",
      "int64",
      "uint64",
    ] as const;
    const { scan, read, arrayOf } = await scanned({
      version: 5,
      attributes: types.map((type) => [`a ${type}`, type, type === "char" ? "é" : type.endsWith("int64") ? [3n, 4n] : [3, 4]]),
      variables: types.map((type) => ({ name: type, type, values: [type === "char" ? 65 : 3n] })),
    });
    for (const type of types) {
      const expected = type === "char" ? { kind: "fixed-string", length: 1 } : { kind: "number", name: type };
      assert.deepEqual(arrayOf(type).dataType, expected);
      assert.equal((await read(type)).length, elementSize(arrayOf(type).dataType as never));
      const attribute = scan.root.attributes.get(`a ${type}`);
      assert.deepEqual(
        attribute,
        type === "char"
          ? { type: "text", value: "é" }
          : { type, scalar: false, value: type.endsWith("int64") ? [3n, 4n] : [3, 4] },
      );
    }
    assert.deepEqual(numbers(await read("float64"), Float64Array), [3]);
    assert.deepEqual([...(await read("uint64"))], [3, 0, 0, 0, 0, 0, 0, 0]);
  });

  test("64-bit integers are exact", async () => {
    const { scan } = await scanned({
      version: 5,
      attributes: [
        ["least", "int64", [-(2n ** 63n)]],
        ["most", "uint64", [2n ** 64n - 1n]],
      ],
    });
    assert.deepEqual(scan.root.attributes.get("least"), { type: "int64", scalar: true, value: [-(2n ** 63n)] });
    assert.deepEqual(scan.root.attributes.get("most"), { type: "uint64", scalar: true, value: [2n ** 64n - 1n] });
  });

  test("one value is scalar, none is an empty list, text loses its terminating NULs, Latin-1 is understood", async () => {
    const { scan } = await scanned({
      attributes: [
        ["one", "int8", [-1]],
        ["none", "float64", []],
        ["c", "char", "text\0\0"],
        ["empty", "char", ""],
        ["unit", "char", [0xb0, 0x43] as unknown as string],
      ],
    });
    assert.deepEqual(Object.fromEntries(scan.root.attributes), {
      one: { type: "int8", scalar: true, value: [-1] },
      none: { type: "float64", scalar: false, value: [] },
      c: { type: "text", value: "text" },
      empty: { type: "text", value: "" },
      unit: { type: "text", value: "°C" },
    });
  });

  test("scalars and text are arrays", async () => {
    const { arrayOf, read } = await scanned({
      dimensions: [["n", 3]],
      variables: [
        { name: "crs", type: "char", values: [32] },
        { name: "id", type: "char", dimensions: [0], values: [97, 98, 0] },
      ],
    });
    assert.deepEqual([arrayOf("crs").shape, arrayOf("crs").chunkShape, arrayOf("crs").manifest.cells], [[], [], 1]);
    assert.deepEqual(arrayOf("id").shape, [3]);
    assert.equal(new TextDecoder().decode(await read("id")), "ab\0");
  });

  test("the storage fill is _FillValue where it has the variable's type, else none; the attribute stays", async () => {
    const fillOf = async (
      type: "int16" | "char" | "float32",
      attribute: readonly [type: "int16" | "char" | "float32", values: string | number[]],
    ) => {
      const { arrayOf } = await scanned({
        variables: [{ name: "v", type, values: [1], attributes: [["_FillValue", ...attribute]] }],
      });
      assert.ok(arrayOf("v").attributes.has("_FillValue"));
      return arrayOf("v").fillValue;
    };
    assert.equal(await fillOf("int16", ["int16", [-999]]), -999);
    assert.equal(await fillOf("int16", ["float32", [-999]]), null);
    assert.equal(await fillOf("int16", ["int16", [1, 2]]), null);
    assert.equal(await fillOf("float32", ["float32", [Number.NaN]]), Number.NaN);
    assert.deepEqual(await fillOf("char", ["char", "x"]), Uint8Array.of(0x78));
    assert.equal(await fillOf("int16", ["char", "x"]), null);
    assert.equal((await scanned({ variables: [{ name: "v", type: "int8", values: [1] }] })).arrayOf("v").fillValue, null);
  });
});

describe("a variable that is larger than the wanted chunk", () => {
  const values = Array.from({ length: 120 }, (_, index) => index * 3);
  const file: File = {
    records: 2,
    dimensions: [
      ["time", 0],
      ["y", 10],
      ["x", 6],
    ],
    variables: [
      { name: "fixed", type: "int16", dimensions: [1, 2], values: values.slice(0, 60) },
      { name: "records", type: "int32", dimensions: [0, 1, 2], recordValues: [values.slice(0, 60), values.slice(60)] },
      { name: "other", type: "int16", dimensions: [0], recordValues: [[7], [8]] },
    ],
  };

  test("is cut on its slow axes, its records too, and reads the same", async () => {
    const { arrayOf, read } = await scanned(file, { chunkBytes: 60 });
    assert.deepEqual(arrayOf("fixed").chunkShape, [5, 6]);
    assert.deepEqual(arrayOf("records").chunkShape, [1, 2, 6]);
    assert.deepEqual(arrayOf("records").manifest.counts(), { ranges: 10, inlined: 0, missing: 0, rangeBytes: 480 });
    assert.deepEqual(numbers(await read("fixed"), Int16Array), values.slice(0, 60));
    assert.deepEqual(numbers(await read("records"), Int32Array), values);
    assert.deepEqual(numbers(await read("other"), Int16Array), [7, 8]);
  });

  test("stays whole where no other size is wanted", async () => {
    const { arrayOf } = await scanned(file);
    assert.deepEqual(arrayOf("fixed").chunkShape, [10, 6]);
    assert.deepEqual(arrayOf("records").chunkShape, [1, 10, 6]);
  });
});

describe("what is read", () => {
  test("is the header alone, in one read, however large the data", async () => {
    const { bytes } = netcdf3Bytes({
      dimensions: [["x", 100_000]],
      variables: [{ name: "v", type: "int8", dimensions: [0], values: new Array(100_000).fill(1) }],
    });
    const reader = withCounters(memoryReader(bytes));
    await scanNetcdf3(reader);
    assert.deepEqual([reader.requests, reader.bytes], [1, 32 * 1024]);
  });

  test("grows with a header that is larger than the first read, and no byte is read twice", async () => {
    const attributes = Array.from({ length: 3000 }, (_, index) => [`attribute_${index}`, "char", "x".repeat(50)] as const);
    const { bytes, at } = netcdf3Bytes({ attributes, variables: [{ name: "v", type: "int16", values: [258] }] });
    assert.ok((at.get("end of header") as number) > 200_000);
    const reader = withCounters(memoryReader(bytes));
    const { root } = await scanNetcdf3(reader);
    assert.equal(root.attributes.size, 3000);
    assert.equal(root.arrays.size, 1);
    assert.equal(reader.requests, 3);
    assert.equal(reader.bytes, bytes.length);
  });

  test("stops when it is told to", async () => {
    const { bytes } = netcdf3Bytes({});
    const reason = new Error("enough");
    await assert.rejects(scanNetcdf3(memoryReader(bytes), { signal: AbortSignal.abort(reason) }), reason);
  });
});
