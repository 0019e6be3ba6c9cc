import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isFreshetError } from "../../src/errors/index.ts";
import { type GranuleShape, requirePublishable, shapeGranule } from "../../src/products/index.ts";
import { scan } from "../../src/scan/index.ts";
import { openReader } from "../../src/storage/index.ts";
import { ChunkManifestBuilder, type VirtualArray, type VirtualGroup } from "../../src/virtual/index.ts";
import { MOGREPS, OSTIA, type RealGranule } from "../support/granules.ts";
import { type MadeGranule, scanGranule } from "./made-granule.ts";

const AXIS = { name: "time", dimension: "time" };
const NOON_MS = Date.UTC(2017, 5, 5, 12);

async function shapeOfFile({ path }: RealGranule, nameValidMs?: number): Promise<GranuleShape> {
  const reader = await openReader(path);
  try {
    return shapeGranule((await scan(reader)).root, AXIS, nameValidMs);
  } finally {
    await reader.close();
  }
}

async function shapeOf(options: MadeGranule, nameValidMs?: number): Promise<GranuleShape> {
  return shapeGranule((await scanGranule(options)).root, AXIS, nameValidMs);
}

function rolesOf(shape: GranuleShape): Record<string, string> {
  return Object.fromEntries(shape.arrays.map(({ path, role, isNewAxis }) => [path, isNewAxis ? `${role}, new` : role]));
}

const refusal = (kind: "drift" | "unsupported", text: RegExp) => (error: unknown) =>
  isFreshetError(error, kind) && text.test(error.message);

describe("the shape of a granule", () => {
  test("OSTIA: the record dimension is the axis, its fields run along it, the grid is kept once", async () => {
    const [first] = OSTIA as [RealGranule];
    const shape = await shapeOfFile(first, NOON_MS);
    assert.deepEqual(rolesOf(shape), {
      "/sst_anomaly": "along",
      "/analysed_sst": "along",
      "/lat": "static",
      "/lon": "static",
      "/time": "axis",
    });
    assert.deepEqual(shape.validMs, [NOON_MS]);
    assert.equal(shape.dimension, "time");
    assert.equal(shape.axisType, "int32");
    requirePublishable(shape);
  });

  test("MOGREPS: a scalar time becomes the axis; what varies with it gets it as a new first dimension", async () => {
    const [first] = MOGREPS as [RealGranule];
    const shape = await shapeOfFile(first);
    assert.deepEqual(rolesOf(shape), {
      "/air_temperature": "along, new",
      "/lambert_azimuthal_equal_area": "static",
      "/realization": "static",
      "/projection_y_coordinate": "static",
      "/projection_y_coordinate_bnds": "static",
      "/projection_x_coordinate": "static",
      "/projection_x_coordinate_bnds": "static",
      "/forecast_period": "packed, new",
      "/forecast_reference_time": "packed, new",
      "/height": "static",
      "/time": "axis, new",
    });
    assert.deepEqual(shape.validMs, [Date.UTC(2017, 5, 2, 15)]);
    requirePublishable(shape);
  });

  test("the bounds of a scalar time vary with it, the bounds of a height do not", async () => {
    const shape = await shapeOf({
      isScalar: true,
      timeAttributes: [["bounds", "char", "time_bnds"]],
      more: [
        { name: "time_bnds", type: "int32", dimensions: [3], values: [1, 2] },
        { name: "level", type: "float32", attributes: [["bounds", "char", "level_bnds"]], values: [1] },
        { name: "level_bnds", type: "float32", dimensions: [3], values: [0, 2] },
      ],
    });
    const roles = rolesOf(shape);
    assert.equal(roles["/level_bnds"], "static");
    assert.match(roles["/time_bnds"] ?? "", /^(along|packed), new$/);
  });

  test("a name that says only the day agrees with any time of that day, and with none of the next", async () => {
    const { root } = await scanGranule({});
    const day = 86_400_000;
    const midnight = Date.UTC(2017, 5, 5);
    assert.deepEqual(shapeGranule(root, AXIS, midnight, day).validMs, [midnight + day / 2]);
    assert.throws(
      () => shapeGranule(root, AXIS, midnight - day, day),
      /from 2017-06-04T00:00:00Z to before 2017-06-05T00:00:00Z/,
    );
  });

  test("a name that disagrees with the file is drift, and both times are told", async () => {
    await assert.rejects(
      shapeOf({}, NOON_MS + 3_600_000),
      refusal("drift", /found 2017-06-05T12:00:00Z, expected 2017-06-05T13:00:00Z/),
    );
  });

  test("without a time in the file the name's counts; without either nobody knows", async () => {
    const bare: MadeGranule = { isScalar: true, without: ["time"] };
    const shape = shapeGranule((await scanGranule(bare)).root, { name: "time", dimension: "valid" }, NOON_MS);
    assert.equal(shape.hasAxisArray, false);
    assert.deepEqual(shape.validMs, [NOON_MS]);
    await assert.rejects(shapeOf(bare), refusal("drift", /neither the file nor its name says when it is valid/));
  });

  test("steps that do not ascend are drift", async () => {
    for (const seconds of [
      [10, 10],
      [20, 10],
    ])
      await assert.rejects(shapeOf({ seconds }), refusal("drift", /does not ascend/));
  });

  test("time units or a calendar that are not read are said with what was found", async () => {
    await assert.rejects(shapeOf({ timeUnits: "months since 2000-01-01" }), refusal("unsupported", /"months since 2000-01-01"/));
  });

  test("a dimension that joining would make, but that the data have already, is refused", async () => {
    await assert.rejects(
      shapeOf({ without: ["time"] }, NOON_MS),
      refusal("unsupported", /time in \/sst.*Name the coordinate \(axis\), or another dimension/),
    );
  });

  test("a time coordinate whose dimension has no name is refused: nothing could be said to run along it", async () => {
    const { root } = await scanGranule();
    const time = root.arrays.get("time") as VirtualArray;
    const unnamed: VirtualGroup = { ...root, arrays: new Map([...root.arrays, ["time", { ...time, dimensionNames: [null] }]]) };
    assert.throws(() => shapeGranule(unnamed, AXIS, undefined), refusal("unsupported", /dimension has no name/));
  });

  test("an array in a group with a shorter dimension of the same name is refused, not joined at wrong places", async () => {
    const { root } = await scanGranule({ seconds: [1, 2, 3] });
    const other = { ...(root.arrays.get("sst") as VirtualArray), shape: [2, 2, 3] };
    const grouped: VirtualGroup = {
      ...root,
      groups: new Map([["g", { name: "g", attributes: new Map(), arrays: new Map([["other", other]]), groups: new Map() }]]),
    };
    assert.throws(
      () => shapeGranule(grouped, AXIS, undefined),
      refusal("unsupported", /found 2 steps, expected 3 steps \(\/g\/other\)/),
    );
  });
});

describe("an axis in a group", () => {
  const AXIS_OF_GRID = { name: "Grid/time", dimension: "time" };
  const group = (name: string, arrays: VirtualGroup["arrays"], groups: readonly VirtualGroup[] = []): VirtualGroup => ({
    name,
    attributes: new Map(),
    arrays,
    groups: new Map(groups.map((child) => [child.name, child])),
  });
  const only = (root: VirtualGroup, ...names: string[]) =>
    new Map(names.map((name) => [name, root.arrays.get(name) as VirtualArray]));

  test("what is in the group and below it runs along its dimension; a dimension of that name elsewhere is another one", async () => {
    const { root } = await scanGranule({ seconds: [1, 2, 3] });
    const own = await scanGranule({ seconds: [7] });
    const file = group("", only(root, "lat"), [
      group("Grid", root.arrays, [
        group("Intermediate", only(root, "sst")),
        group("Daily", only(own.root, "time", "sst"), [group("Deeper", only(own.root, "sst"))]),
      ]),
      group("Other", only(own.root, "time", "sst")),
    ]);
    const shape = shapeGranule(file, AXIS_OF_GRID, undefined);
    assert.equal(shape.axisPath, "/Grid/time");
    assert.deepEqual(shape.validMs, [1000, 2000, 3000]);
    assert.deepEqual(rolesOf(shape), {
      "/lat": "static",
      "/Grid/sst": "along",
      "/Grid/time": "axis",
      "/Grid/lat": "static",
      "/Grid/lon": "static",
      "/Grid/crs": "static",
      "/Grid/depth": "static",
      "/Grid/Intermediate/sst": "along",
      "/Grid/Daily/time": "static",
      "/Grid/Daily/sst": "static",
      "/Grid/Daily/Deeper/sst": "static",
      "/Other/time": "static",
      "/Other/sst": "static",
    });
    // Fields of another axis were not read, and so cannot be said to be the same in every granule.
    assert.throws(() => requirePublishable(shape), refusal("unsupported", /kept once.*scan: \{ drop: .*\/Other\/sst/));
  });

  test("arrays in a group that has a time coordinate of its own do not run along that of the root", async () => {
    const { root } = await scanGranule({ seconds: [1, 2, 3] });
    const other = group("hourly", only((await scanGranule({ seconds: [1, 2] })).root, "time", "sst"));
    const shape = shapeGranule({ ...root, groups: new Map([["hourly", other]]) }, AXIS, undefined);
    assert.equal(rolesOf(shape)["/sst"], "along");
    assert.equal(rolesOf(shape)["/hourly/sst"], "static");
  });

  test("a scalar time in a group becomes the axis of that group alone; without one it is made there", async () => {
    const { root } = await scanGranule({ isScalar: true });
    const file = group("", only(root, "sst"), [group("Grid", root.arrays)]);
    const shape = shapeGranule(file, AXIS_OF_GRID, undefined);
    assert.equal(rolesOf(shape)["/Grid/sst"], "along, new");
    assert.equal(rolesOf(shape)["/sst"], "static");
    const bare = group("", new Map(), [group("Grid", only(root, "sst", "lat", "lon"))]);
    const made = shapeGranule(bare, AXIS_OF_GRID, NOON_MS);
    assert.equal(made.axisPath, "/Grid/time");
    assert.equal(made.hasAxisArray, false);
    assert.equal(rolesOf(made)["/Grid/sst"], "along, new");
  });
});

describe("what a product can hold", () => {
  const manifestOf = (grid: readonly number[], inline?: Uint8Array) => {
    const builder = new ChunkManifestBuilder(grid);
    const cells = grid.reduce((product, length) => product * length, 1);
    for (let cell = 0; cell < cells; cell++) {
      if (inline === undefined) builder.setRange(cell, "file:///x", 0, 24);
      else builder.setInline(cell, inline);
    }
    return builder.build();
  };

  test("a static array that nobody has read is refused: the first granule's values would stand for all", async () => {
    const { root } = await scanGranule();
    const mask = { ...(root.arrays.get("lat") as VirtualArray), name: "mask", manifest: manifestOf([1]) };
    const shape = shapeGranule({ ...root, arrays: new Map([...root.arrays, ["mask", mask]]) }, AXIS, undefined);
    assert.throws(
      () => requirePublishable(shape),
      refusal("unsupported", /values have to be compared.*of mask.*scan: \{ drop: \[mask\] \}/),
    );
  });

  test("compressed chunks that end beyond the granule are refused; uncompressed ones can be cut; text cannot", async () => {
    const { root } = await scanGranule();
    const sst = root.arrays.get("sst") as VirtualArray;
    const shapeWith = (change: Partial<VirtualArray>) =>
      shapeGranule(
        { ...root, arrays: new Map([...root.arrays, ["sst", { ...sst, chunkShape: [4, 2, 3], ...change }]]) },
        AXIS,
        undefined,
      );
    requirePublishable(shapeWith({}));
    const compressed = [...sst.codecs, { name: "numcodecs.zlib", configuration: { level: 1 } }];
    assert.throws(
      () => requirePublishable(shapeWith({ codecs: compressed })),
      refusal("unsupported", /ends inside a chunk.*\/sst/),
    );
    const text = { dataType: { kind: "string" }, codecs: [{ name: "vlen-utf8", configuration: {} }] } as const;
    assert.throws(() => requirePublishable(shapeWith(text)), refusal("unsupported", /ends inside a chunk/));
  });

  test("a granule without any array along the axis is refused", async () => {
    const { root } = await scanGranule({ without: ["sst"] });
    assert.throws(
      () => requirePublishable(shapeGranule(root, AXIS, undefined)),
      refusal("unsupported", /no array along the time axis/),
    );
  });
});
