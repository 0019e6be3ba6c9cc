import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { scanHdf5 } from "../../../src/formats/hdf5/index.ts";
import type { VirtualArray } from "../../../src/virtual/index.ts";
import { memoryReader } from "../../storage/memory-reader.ts";

const bytes = new Uint8Array(await readFile(new URL("made/meaning.h5", import.meta.url)));

// The statements of docs/scanning.md, each by its name there.
describe("what an array means in Zarr", async () => {
  const { root, outcomes } = await scanHdf5(memoryReader(bytes));
  const arrayOf = (name: string): VirtualArray => {
    const array = root.arrays.get(name);
    assert.ok(array !== undefined, name);
    return array;
  };
  const reasonOf = (name: string): string | undefined => outcomes.find(({ path }) => path === `/${name}`)?.reason;

  test("the fill value is what was never written reads as, and _FillValue stays an attribute", () => {
    const { fillValue, attributes, manifest } = arrayOf("filled");
    assert.equal(fillValue, -5);
    assert.deepEqual(attributes.get("_FillValue"), { type: "int16", scalar: true, value: [-9] });
    assert.deepEqual([manifest.counts().ranges, manifest.counts().missing], [1, 1]);
  });

  test("without a fill value of its own an array reads as zero where it was never written", () => {
    assert.equal(arrayOf("unfilled").fillValue, null);
    assert.equal(arrayOf("unfilled").manifest.counts().missing, 1);
  });

  test("packed data stay packed", () => {
    const { dataType, attributes } = arrayOf("packed");
    assert.deepEqual(dataType, { kind: "number", name: "int16" });
    assert.deepEqual(attributes.get("scale_factor"), { type: "float32", scalar: true, value: [0.5] });
    assert.deepEqual(attributes.get("add_offset"), { type: "float64", scalar: true, value: [273.15] });
    assert.deepEqual(attributes.get("valid_range"), { type: "int16", scalar: false, value: [0, 20] });
  });

  test("dimensions have the names of their scales, the first where there are several, of any group", () => {
    assert.deepEqual(arrayOf("packed").dimensionNames, ["y", "x"]);
    assert.deepEqual(arrayOf("y").dimensionNames, ["y"]);
    assert.deepEqual(arrayOf("again").dimensionNames, ["y", null]);
  });

  test("a dimension without a scale has no name", () => {
    assert.deepEqual(arrayOf("filled").dimensionNames, [null, null]);
  });

  test("the bookkeeping of dimension scales is no attribute", () => {
    assert.deepEqual([...arrayOf("y").attributes.keys(), ...arrayOf("x").attributes.keys()], []);
    assert.deepEqual([...arrayOf("packed").attributes.keys()].sort(), ["add_offset", "scale_factor", "valid_range"]);
  });

  test("groups stay groups with their attributes", () => {
    assert.deepEqual(root.attributes.get("title"), { type: "text", value: "meaning" });
    assert.deepEqual(root.groups.get("group")?.attributes.get("level"), { type: "int32", scalar: true, value: [1] });
    assert.deepEqual([...(root.groups.get("group")?.groups.keys() ?? [])], ["inner"]);
  });

  test("a dataset that several links lead to is one array, where it is met first", () => {
    const paths = outcomes.map(({ path }) => path);
    assert.ok(paths.includes("/again"));
    assert.ok(!paths.includes("/group/inner/v") && !paths.includes("/soft"));
  });

  test("a scalar has no dimensions and one chunk", () => {
    const { shape, chunkShape, manifest } = arrayOf("scalar");
    assert.deepEqual([shape, chunkShape, manifest.cells], [[], [], 1]);
  });

  test("an array of length zero has its shape and no chunks", () => {
    const { shape, chunkShape, manifest } = arrayOf("empty");
    assert.deepEqual([shape, chunkShape, manifest.cells], [[0, 3], [5, 3], 0]);
  });

  test("a null dataspace is refused", () => {
    assert.equal(reasonOf("null"), "its dataspace is null: it has no elements and no shape");
  });

  test("text of fixed length is bytes padded with NUL, in place", () => {
    assert.deepEqual(arrayOf("fixed_text").dataType, { kind: "fixed-string", length: 5 });
    assert.equal(arrayOf("fixed_text").manifest.counts().ranges, 1);
  });

  test("text of variable length is inlined as UTF-8", () => {
    const { dataType, codecs, manifest } = arrayOf("text");
    assert.deepEqual([dataType.kind, codecs[0]?.name, manifest.counts().inlined], ["string", "vlen-utf8", 1]);
    const chunk = manifest.at(0);
    assert.ok(chunk.kind === "inline" && Buffer.from(chunk.bytes).includes("größer"));
  });

  test("times are numbers with their units", () => {
    assert.deepEqual(arrayOf("time").dataType, { kind: "number", name: "int64" });
    assert.deepEqual(arrayOf("time").attributes.get("units"), { type: "text", value: "days since 2000-01-01" });
  });

  test("dates of numpy in opaque bytes are refused, other opaque bytes are bytes", () => {
    assert.equal(reasonOf("numpy_dates"), "Zarr has no type for <M8[D] of numpy in opaque bytes");
    assert.deepEqual(arrayOf("opaque").dataType, { kind: "opaque", length: 3 });
  });

  test("big-endian numbers stay big-endian in their chunks", () => {
    const { dataType, codecs } = arrayOf("big_endian");
    assert.deepEqual(dataType, { kind: "number", name: "float64" });
    assert.deepEqual(codecs, [{ name: "bytes", configuration: { endian: "big" } }]);
  });

  test("a compound is a struct with its gaps; with arrays in it, it is refused", () => {
    assert.deepEqual(arrayOf("compound").dataType, {
      kind: "struct",
      size: 24,
      fields: [
        { name: "a", offset: 0, type: { kind: "number", name: "int32" }, endian: "little", shape: [] },
        { name: "b", offset: 8, type: { kind: "number", name: "float64" }, endian: "big", shape: [] },
      ],
    });
    assert.equal(reasonOf("compound_with_array"), "Zarr has no type for compounds with arrays in them (a)");
  });

  test("a compound of r and i is a complex number", () => {
    assert.deepEqual(arrayOf("complex").dataType, { kind: "number", name: "complex64" });
  });

  test("an array type adds dimensions without names", () => {
    const { shape, chunkShape, dimensionNames, dataType } = arrayOf("array");
    assert.deepEqual(
      [shape, chunkShape, dimensionNames],
      [
        [2, 3],
        [2, 3],
        [null, null],
      ],
    );
    assert.deepEqual(dataType, { kind: "number", name: "int16" });
  });

  test("an enumeration is its numbers, FALSE and TRUE are a boolean", () => {
    assert.deepEqual(arrayOf("enum").dataType, { kind: "number", name: "int16" });
    assert.deepEqual(arrayOf("boolean").dataType, { kind: "number", name: "bool" });
  });

  test("sequences of variable length and references are refused", () => {
    assert.equal(reasonOf("sequences"), "Zarr has no type for sequences of variable length");
    assert.equal(reasonOf("references"), "Zarr has no type for references to objects");
  });
});

test("every statement of docs/scanning.md names a test that is there", async () => {
  const page = await readFile(new URL("../../../docs/scanning.md", import.meta.url), "utf8");
  const folder = new URL("../", import.meta.url);
  const suites = [
    "hdf5/meaning",
    "hdf5/storage",
    "hdf5/scan-hdf5",
    "hdf5/hostile-hdf5",
    "netcdf3/scan-netcdf3",
    "netcdf3/hostile-netcdf3",
    "subdivision",
    "fuzz/fuzz",
  ];
  const tests = (await Promise.all(suites.map((name) => readFile(new URL(`${name}.test.ts`, folder), "utf8")))).join("\n");
  const named = [...page.matchAll(/\| *“([^”]+)” *\|$/gm)].map(([, name]) => name as string);
  assert.ok(named.length > 40, `${named.length} tests are named`);
  for (const name of named) assert.ok(tests.includes(`"${name}"`), name);
  const golden = (await readdir(new URL("expected/", import.meta.url))).map((name) => name.replace(/\.json$/, ""));
  const files = [...page.matchAll(/`([^`]+\.(?:h5|hdf5))`/g)].map(([, name]) => name as string);
  assert.ok(files.length > 20, `${files.length} files are named`);
  for (const name of files) assert.ok(golden.includes(name), name);
});
