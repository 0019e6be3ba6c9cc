import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  compareSchemas,
  compareTimes,
  type Drift,
  describeDrifts,
  type GranuleSchema,
  schemaOf,
  shapeGranule,
} from "../../src/products/index.ts";
import type { AttributeValue, VirtualArray } from "../../src/virtual/index.ts";
import type { Attribute } from "../formats/netcdf3/netcdf3-bytes.ts";
import { type MadeGranule, scanGranule } from "./made-granule.ts";

const AXIS = { name: "time", dimension: "time" };

async function schemaFor(
  options: MadeGranule,
  change: (sst: VirtualArray) => VirtualArray = (sst) => sst,
): Promise<GranuleSchema> {
  const { root } = await scanGranule(options);
  const arrays = new Map([...root.arrays].map(([name, array]) => [name, name === "sst" ? change(array) : array]));
  return schemaOf(shapeGranule({ ...root, arrays }, AXIS, undefined));
}

async function driftOf(options: MadeGranule, change?: (sst: VirtualArray) => VirtualArray): Promise<Drift[]> {
  return compareSchemas(await schemaFor({}), await schemaFor(options, change));
}

/** What is changed in a granule, and the one disagreement that has to be told: path, fact, found, expected. */
const DRIFTS: Readonly<Record<string, readonly [granule: MadeGranule, ...drift: readonly (string | RegExp)[]]>> = {
  scale_factor: [
    { sst: { scale_factor: ["scale_factor", "float32", [0.02]] } },
    "/sst",
    "scale_factor",
    "0.019999999552965164 (float32)",
    "0.009999999776482582 (float32)",
  ],
  "the type of scale_factor": [
    { sst: { scale_factor: ["scale_factor", "float64", [0.009999999776482582]] } },
    "/sst",
    "scale_factor",
    "0.009999999776482582 (float64)",
    "0.009999999776482582 (float32)",
  ],
  add_offset: [
    { sst: { add_offset: ["add_offset", "float32", [0]] } },
    "/sst",
    "add_offset",
    "0 (float32)",
    "273.1499938964844 (float32)",
  ],
  "an absent add_offset": [{ sst: { add_offset: undefined } }, "/sst", "add_offset", "absent", "273.1499938964844 (float32)"],
  "an added missing_value": [
    { sst: { missing_value: ["missing_value", "int16", [-1]] } },
    "/sst",
    "missing_value",
    "-1 (int16)",
    "absent",
  ],
  units: [{ sst: { units: ["units", "char", "degC"] } }, "/sst", "units", "degC", "K"],
  cell_methods: [
    { sst: { cell_methods: ["cell_methods", "char", "time: maximum"] } },
    "/sst",
    "cell_methods",
    "time: maximum",
    "absent",
  ],
  "the meanings of flags": [
    { sst: { flag_meanings: ["flag_meanings", "char", "bad good"] } },
    "/sst",
    "flag_meanings",
    "bad good",
    "absent",
  ],
  "the grid's values": [{ latitudes: [10, 20.5] }, "/lat", "values", /^\[10,20\.5\]$/, /^\[.*\]$/],
  "the grid's shape": [{ latitudes: [10, 20, 30] }, "/sst", "shape", "[*,3,3]", "[*,2,3]"],
  "a grid mapping's attribute": [
    {
      crs: [
        ["grid_mapping_name", "char", "latitude_longitude"],
        ["semi_major_axis", "float64", [6371229]],
      ],
    },
    "/crs",
    "semi_major_axis",
    "6371229 (float64)",
    "6378137 (float64)",
  ],
  "a grid mapping's attribute that is called like one of our own facts": [
    {
      crs: [
        ["grid_mapping_name", "char", "latitude_longitude"],
        ["semi_major_axis", "float64", [6378137]],
        ["type", "char", "int32"],
      ],
    },
    "/crs",
    "attribute type",
    "int32",
    "absent",
  ],
  "the name of the grid mapping": [
    { sst: { grid_mapping: ["grid_mapping", "char", "other"] } },
    "/sst",
    "grid_mapping",
    "other",
    "crs",
  ],
  "the steps of a granule": [{ seconds: [0, 86_400] }, "", "steps", "2", "1"],
  "a missing variable": [{ without: ["depth"] }, "/depth", "variable", "absent", "present"],
  "an extra variable": [
    { more: [{ name: "ice", type: "int8", dimensions: [0, 1, 2], recordValues: [[0, 0, 0, 0, 0, 0]] }] },
    "/ice",
    "variable",
    "present",
    "absent",
  ],
};

describe("drift", () => {
  for (const [what, [granule, path, fact, found, expected]] of Object.entries(DRIFTS)) {
    test(`${what} that is not the first granule's is told, with what was found and what was expected`, async () => {
      const drifts = await driftOf(granule);
      const told = drifts.find((drift) => drift.path === path && drift.fact === fact);
      assert.ok(told, JSON.stringify(drifts));
      for (const [text, wanted] of [
        [told.found, found],
        [told.expected, expected],
      ] as const) {
        if (wanted instanceof RegExp) assert.match(text, wanted);
        else assert.equal(text, wanted);
      }
      if (fact === "values") assert.notEqual(told.found, told.expected);
    });
  }

  test("other units of the axis are none, unless it has bounds; a time that the first granule's type cannot hold is", async () => {
    const since = (timeUnits: string, seconds: number, more: MadeGranule = {}): MadeGranule => ({
      timeUnits,
      seconds: [seconds],
      ...more,
    });
    const bounds: MadeGranule = { timeAttributes: [["bounds", "char", "time_bnds"]] };
    const shapeOf = async (granule: MadeGranule) =>
      shapeGranule((await scanGranule(granule)).root, { name: "time", dimension: "time" }, undefined);
    const hours = await shapeOf(since("hours since 2017-06-05 00:00:00", 12));
    const next = await shapeOf(since("hours since 2017-06-06 00:00:00", 6));
    assert.deepEqual(compareSchemas(schemaOf(hours), schemaOf(next)), []);
    assert.deepEqual(compareTimes(hours, next), []);
    const between = await shapeOf(since("minutes since 2017-06-06 00:00:00", 30));
    assert.equal(compareTimes(hours, between)[0]?.found, "2017-06-06T00:30:00Z");
    const bounded = await shapeOf(since("hours since 2017-06-05 00:00:00", 12, bounds));
    const otherwise = await shapeOf(since("hours since 2017-06-06 00:00:00", 6, bounds));
    assert.equal(compareSchemas(schemaOf(bounded), schemaOf(otherwise))[0]?.fact, "units");
  });

  test("the data type is told, and with it the fill", async () => {
    const drifts = await driftOf({ type: "int32" });
    assert.deepEqual(
      drifts.map(({ path, fact }) => `${path} ${fact}`),
      ["/sst type", "/sst fill", "/sst _FillValue"],
    );
  });

  test("_FillValue is told apart from the fill of unwritten chunks", async () => {
    const drifts = await driftOf({ sst: { _FillValue: ["_FillValue", "int16", [-1]] } });
    assert.deepEqual(
      drifts.map(({ fact, found, expected }) => [fact, found, expected]),
      [
        ["fill", "-1", "-32768"],
        ["_FillValue", "-1 (int16)", "-32768 (int16)"],
      ],
    );
    const storage = await driftOf({}, (sst) => ({ ...sst, fillValue: 0 }));
    assert.deepEqual(storage, [{ path: "/sst", fact: "fill", found: "0", expected: "-32768" }]);
  });

  test("chunks and codecs are told; the level of compression is none of it", async () => {
    const zlib = (level: number) => ({ name: "numcodecs.zlib", configuration: { level } });
    const coded = (codecs: VirtualArray["codecs"]) => (sst: VirtualArray) => ({ ...sst, codecs: [...sst.codecs, ...codecs] });
    assert.deepEqual(await driftOf({}, coded([zlib(1)])), [
      { path: "/sst", fact: "codecs", found: "bytes(endian=big) numcodecs.zlib", expected: "bytes(endian=big)" },
    ]);
    assert.deepEqual(compareSchemas(await schemaFor({}, coded([zlib(1)])), await schemaFor({}, coded([zlib(9)]))), []);
    const little = (sst: VirtualArray) => ({ ...sst, codecs: [{ name: "bytes", configuration: { endian: "little" } }] });
    assert.equal((await driftOf({}, little))[0]?.fact, "codecs");
    const chunked = await driftOf({}, (sst) => ({ ...sst, chunkShape: [1, 1, 3] }));
    assert.deepEqual(chunked, [{ path: "/sst", fact: "chunks", found: "[1,1,3]", expected: "[1,2,3]" }]);
  });

  test("a calendar of another name is drift, even where it means the same: readers may not know that", async () => {
    const drifts = await driftOf({ calendar: "proleptic_gregorian" });
    assert.deepEqual(drifts, [{ path: "/time", fact: "calendar", found: "proleptic_gregorian", expected: "standard" }]);
  });

  test("a list of texts is not the text that it would look like", async () => {
    const withTexts = (value: AttributeValue) => (sst: VirtualArray) => ({
      ...sst,
      attributes: new Map([...sst.attributes, ["flag_meanings", value]]),
    });
    const one = await schemaFor({}, withTexts({ type: "texts", value: ["a,b"] }));
    const two = await schemaFor({}, withTexts({ type: "texts", value: ["a", "b"] }));
    assert.equal(compareSchemas(one, two).length, 1);
  });

  test("what does not decide is no drift: titles, long names, values and times of the data", async () => {
    const drifts = await driftOf({
      title: "another title",
      value: () => 7,
      seconds: [Date.UTC(2017, 5, 6, 12) / 1000],
      sst: { long_name: ["long_name", "char", "something else"], comment: ["comment", "char", "new"] },
    });
    assert.deepEqual(drifts, []);
  });

  test("a granule has no drift against itself, whatever NaN and -0 are in it", async () => {
    const odd: readonly Attribute[] = [
      ["grid_mapping_name", "char", "x"],
      ["a", "float64", [Number.NaN]],
      ["b", "float64", [-0]],
    ];
    assert.deepEqual(compareSchemas(await schemaFor({ crs: odd }), await schemaFor({ crs: odd })), []);
    const plus: readonly Attribute[] = [...odd.slice(0, 2), ["b", "float64", [0]]];
    assert.deepEqual(
      compareSchemas(await schemaFor({ crs: odd }), await schemaFor({ crs: plus })).map(({ fact, found, expected }) => [
        fact,
        found,
        expected,
      ]),
      [["b", "0 (float64)", "-0 (float64)"]],
    );
  });

  test("people are shown five disagreements and the number of the rest, and long texts shortened", () => {
    const drift = (fact: string, found = "a"): Drift => ({ path: "/x", fact, found, expected: "b" });
    const text = describeDrifts(["1", "2", "3", "4", "5", "6", "7"].map((fact) => drift(fact)));
    assert.match(text, /^\/x 1: found a, expected b; .*; and 2 more$/);
    assert.ok(describeDrifts([drift("crs_wkt", "x".repeat(50_000))]).length < 300);
  });
});
