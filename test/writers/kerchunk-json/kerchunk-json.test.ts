import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { bytesCodec, fletcher32Codec, shuffleCodec, vlenUtf8Codec, zlibCodec } from "../../../src/codecs/index.ts";
import { numeric, type VirtualArray, type VirtualGroup } from "../../../src/virtual/index.ts";
import { kerchunkJson } from "../../../src/writers/kerchunk-json/index.ts";
import { plainUri } from "../../../src/writers/uri-mapping.ts";
import { aGroup, anArray, inline, range, text } from "../../scan/virtual-arrays.ts";

function refsOf(root: VirtualGroup): Record<string, unknown> {
  const document = JSON.parse([...kerchunkJson(root).pieces].join("")) as { version: number; refs: Record<string, unknown> };
  assert.deepEqual(Object.keys(document), ["version", "refs"]);
  assert.equal(document.version, 1);
  return document.refs;
}

/** `.zarray` of the one array, as text: numbers are to be seen as they are written. */
function zarrayOf(facts: Parameters<typeof anArray>[0]): string {
  return refsOf(aGroup([anArray({ name: "v", ...facts })]))["v/.zarray"] as string;
}

const fieldOf = (facts: Parameters<typeof anArray>[0], field: string): string =>
  new RegExp(`"${field}":(.*?)(,"(filters|fill_value|order|compressor)":|,"dimension_separator"|}$)`).exec(
    zarrayOf(facts),
  )?.[1] ?? "absent";

test("a group is a complete version 1 document", () => {
  const v = anArray({
    name: "v",
    shape: [2, 3],
    chunkShape: [1, 2],
    dimensionNames: ["y", "x"],
    dataType: numeric("float32"),
    codecs: [bytesCodec("big"), shuffleCodec(4), zlibCodec(5)],
    attributes: { units: text("K"), scale_factor: { type: "float64", scalar: true, value: [1] } },
    chunks: [range("s3://b/k", 5, 10), undefined, inline(Uint8Array.of(1, 2, 255)), range("https://h/ä", 2 ** 53 - 1, 0)],
  });
  const crs = anArray({ name: "crs", dataType: numeric("int8"), chunks: [range("s3://b/k", 1, 1)] });
  const inner = aGroup([crs], { name: "inner", attributes: { n: { type: "int32", scalar: true, value: [3] } } });
  assert.deepEqual(refsOf(aGroup([v], { groups: [inner], attributes: { title: text('"quoted"') } })), {
    ".zgroup": '{"zarr_format":2}',
    ".zattrs": '{"title":"\\"quoted\\""}',
    "v/.zarray":
      '{"zarr_format":2,"shape":[2,3],"chunks":[1,2],"dtype":">f4","compressor":{"id":"zlib","level":5},' +
      '"filters":[{"id":"shuffle","elementsize":4}],"fill_value":null,"order":"C","dimension_separator":"."}',
    "v/.zattrs": '{"units":"K","scale_factor":1.0,"_ARRAY_DIMENSIONS":["y","x"]}',
    "v/0.0": ["s3://b/k", 5, 10],
    "v/1.0": "base64:AQL/",
    "v/1.1": ["https://h/ä", 9007199254740991, 0],
    "inner/.zgroup": '{"zarr_format":2}',
    "inner/.zattrs": '{"n":3}',
    "inner/crs/.zarray":
      '{"zarr_format":2,"shape":[],"chunks":[],"dtype":"|i1","compressor":null,"filters":null,"fill_value":null,"order":"C","dimension_separator":"."}',
    "inner/crs/.zattrs": '{"_ARRAY_DIMENSIONS":[]}',
    "inner/crs/0": ["s3://b/k", 1, 1],
  });
});

describe("types and codecs", () => {
  test("have their numpy names", () => {
    const dtype = (dataType: VirtualArray["dataType"], endian: "little" | "big" = "little") =>
      fieldOf({ dataType, codecs: [bytesCodec(endian)] }, "dtype");
    assert.equal(dtype(numeric("bool")), '"|b1"');
    assert.equal(dtype(numeric("uint8"), "big"), '"|u1"');
    assert.equal(dtype(numeric("float16"), "big"), '">f2"');
    assert.equal(dtype(numeric("complex128")), '"<c16"');
    assert.equal(dtype({ kind: "fixed-string", length: 12 }), '"|S12"');
    assert.equal(dtype({ kind: "opaque", length: 3 }), '"|V3"');
  });

  test("a struct has its gaps as fields of bytes", () => {
    const field = (name: string, offset: number, shape: number[] = []) =>
      ({ name, offset, type: numeric("int16"), endian: "big", shape }) as const;
    const struct = { kind: "struct", size: 12, fields: [field("b", 6, [2]), field("a", 2)] } as const;
    assert.equal(
      fieldOf({ dataType: struct }, "dtype"),
      '[["_pad0","|V2"],["a",">i2"],["_pad4","|V2"],["b",">i2",[2]],["_pad10","|V2"]]',
    );
  });

  test("a checksum behind the compressor leaves all to the filters; text of any length is a filter", () => {
    const codecs = [bytesCodec("little"), zlibCodec(1), fletcher32Codec()];
    assert.equal(fieldOf({ codecs }, "compressor"), "null");
    assert.equal(fieldOf({ codecs }, "filters"), '[{"id":"zlib","level":1},{"id":"fletcher32"}]');
    const strings = { dataType: { kind: "string" }, codecs: [vlenUtf8Codec()] } as const;
    assert.equal(fieldOf(strings, "dtype"), '"|O"');
    assert.equal(fieldOf(strings, "filters"), '[{"id":"vlen-utf8"}]');
  });

  test("what Zarr v2 cannot hold is refused, and the rest is written", () => {
    const string = {
      kind: "struct",
      size: 8,
      fields: [{ name: "s", offset: 0, type: { kind: "string" }, endian: "little", shape: [] }],
    } as const;
    const overlapping = {
      kind: "struct",
      size: 4,
      fields: [0, 2].map(
        (offset) => ({ name: `f${offset}`, offset, type: numeric("int32"), endian: "little", shape: [] }) as const,
      ),
    } as const;
    const root = aGroup(
      [
        anArray({ name: "s", dataType: string }),
        anArray({ name: "o", dataType: overlapping }),
        anArray({ name: "a\\b" }),
        anArray({ name: ".zarray" }),
        anArray({ name: "good" }),
      ],
      { groups: [aGroup([anArray({ name: "x" })], { name: ".." })] },
    );
    const { refused, pieces } = kerchunkJson(root);
    assert.deepEqual(refused, [
      { path: "/s", outcome: "refused", reason: 'Zarr v2 cannot hold field "s" of the struct: found text of any length' },
      { path: "/o", outcome: "refused", reason: 'Zarr v2 cannot hold field "f2" of the struct: found fields that overlap' },
      { path: "/a\\b", outcome: "refused", reason: "its path cannot be a key of a Zarr v2 store" },
      { path: "/.zarray", outcome: "refused", reason: "its path cannot be a key of a Zarr v2 store" },
      { path: "/../x", outcome: "refused", reason: "its path cannot be a key of a Zarr v2 store" },
    ]);
    const { refs } = JSON.parse([...pieces].join("")) as { refs: object };
    assert.deepEqual(Object.keys(refs), [".zgroup", ".zattrs", "good/.zarray", "good/.zattrs"]);
  });
});

describe("fill_value", () => {
  const full = { shape: [1], chunks: [range("f", 0, 2)] };
  const attribute = (type: "int16" | "int64" | "float32" | "float64", value: number | bigint) =>
    ({ _FillValue: { type, scalar: true, value: [value] } }) as never;

  test("is the storage fill where chunks are missing, with every digit", () => {
    const fill = (fillValue: VirtualArray["fillValue"], dataType: VirtualArray["dataType"] = numeric("int16")) =>
      fieldOf({ shape: [1], fillValue, dataType }, "fill_value");
    assert.equal(fill(null), "null");
    assert.equal(fill(0), "0");
    assert.equal(fill(0, numeric("float32")), "0.0");
    assert.equal(fill(Number.NaN, numeric("float64")), '"NaN"');
    assert.equal(fill(-(2n ** 63n), numeric("int64")), "-9223372036854775808");
    assert.equal(fill(true, numeric("bool")), "true");
    assert.equal(fill([1, Number.NEGATIVE_INFINITY], numeric("complex64")), '[1.0,"-Infinity"]');
    assert.equal(fill(Uint8Array.of(65, 0), { kind: "fixed-string", length: 2 }), '"QQA="');
  });

  test("is the file's own _FillValue, or none, where every chunk is there: nothing is masked that the file does not mask", () => {
    assert.equal(fieldOf({ ...full, fillValue: 7 }, "fill_value"), "null");
    assert.equal(fieldOf({ ...full, fillValue: 7, attributes: attribute("int16", -999) }, "fill_value"), "-999");
    assert.equal(fieldOf({ ...full, attributes: attribute("int64", -999n) }, "fill_value"), "-999");
    assert.equal(
      fieldOf({ ...full, dataType: numeric("float32"), attributes: attribute("float32", -999) }, "fill_value"),
      "-999.0",
    );
    assert.equal(
      fieldOf({ ...full, dataType: { kind: "fixed-string", length: 2 }, attributes: { _FillValue: text("x") } }, "fill_value"),
      '"eAA="',
    );
  });

  test("is not a _FillValue that no element can be equal to; as an attribute it stays", () => {
    assert.equal(fieldOf({ ...full, attributes: attribute("float64", 0.5) }, "fill_value"), "null");
    assert.equal(fieldOf({ ...full, attributes: attribute("int64", 40_000n) }, "fill_value"), "null");
    assert.equal(fieldOf({ ...full, attributes: { _FillValue: text("x") } }, "fill_value"), "null");
    const refs = refsOf(aGroup([anArray({ ...full, attributes: attribute("int64", 40_000n) })]));
    assert.equal(refs["v/.zattrs"], '{"_FillValue":40000,"_ARRAY_DIMENSIONS":["d0"]}');
  });
});

test("axes without a name get one for each length, two where an array has two, none that the file uses", () => {
  const unnamed = (name: string, ...shape: number[]) => anArray({ name, shape, dimensionNames: shape.map(() => null) });
  const refs = refsOf(
    aGroup([
      unnamed("a", 3, 4),
      unnamed("b", 4, 4),
      unnamed("c", 3),
      anArray({ name: "d", shape: [4, 9], dimensionNames: ["phony_dim_1", null] }),
    ]),
  );
  const dims = (name: string) =>
    (JSON.parse(refs[`${name}/.zattrs`] as string) as { _ARRAY_DIMENSIONS: string[] })._ARRAY_DIMENSIONS;
  assert.deepEqual(["a", "b", "c", "d"].map(dims), [
    ["phony_dim_0", "phony_dim_2"],
    ["phony_dim_2", "phony_dim_3"],
    ["phony_dim_0"],
    ["phony_dim_1", "phony_dim_4"],
  ]);
});

test("a file is named as fsspec takes it, percent signs and spaces as they are", () => {
  assert.equal(plainUri("file:///data/a%20b%25.nc"), "file:///data/a b%.nc");
  assert.equal(plainUri("https://h/a%20b"), "https://h/a%20b");
  const root = aGroup([anArray({ chunks: [range("s3://b/k", 1, 2)] })]);
  const { pieces } = kerchunkJson(root, { uri: (uri) => uri.replace("s3://b/", "https://b.example/") });
  assert.ok([...pieces].includes(',\n"v/0":["https://b.example/k",1,2]'));
});
