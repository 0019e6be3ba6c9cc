import { bytesCodec } from "../codecs/index.ts";
import { type Attributes, ChunkManifestBuilder, textAttribute, type VirtualArray, type VirtualGroup } from "../virtual/index.ts";
import { type ArrayChange, arrayMetadata, groupMetadata, type StoreChange } from "../writers/icechunk/index.ts";
import { type ArrayContext, alongChange, cellsChange, type Leading, packedChange, staticChange } from "./array-change.ts";
import { groupChanges, madeAxis, productAttributes } from "./epoch-change.ts";
import { RUN, type ViewCell, type ViewChange, type ViewLayout, viewIndex } from "./forecast-views.ts";
import { groupOf, type ShapedArray } from "./granule-shape.ts";
import type { SlotChange } from "./layout.ts";
import type { PlacedGranule, Shown } from "./placed-granule.ts";
import { encodeValue } from "./typed-values.ts";

/** Some of the cells that a publication changes in one view. */
export interface ViewPart {
  /** The group of its epoch: "" or `/epoch_2`. */
  readonly under: string;
  readonly wanted: ViewLayout;
  /** The arrays are not there yet. */
  readonly isFirst: boolean;
  readonly shown: Shown;
  /** Of one step, without the axis. */
  readonly template: PlacedGranule;
  readonly changes: readonly ViewChange[];
  /** The steps that go into changed cells, without the axis, by their place in the view. */
  readonly granules: ReadonlyMap<number, PlacedGranule>;
}

/** Runs to a chunk of their coordinate. */
const RUNS_PER_CHUNK = 1024;
/** Beside `RUN`, of `fmrc` and `best` alike. */
const LEAD = "lead";

/**
 * What a part of a publication writes into one view of a forecast. A line has its valid time as index and the coordinates `run` and
 * `lead` along it; a grid has `run` and `lead` as indices and valid time as a coordinate of both; the runs of one valid time have `run` as
 * index, `lead` and that time along it.
 * (CF Conventions 1.11: standard names forecast_reference_time, forecast_period, time.)
 * @throws FreshetError `unsupported` when a gap could not be told from a number.
 */
export function viewChange(part: ViewPart): StoreChange {
  const { under, wanted, shown } = part;
  const isGrid = wanted.form === "grid";
  const isLine = wanted.form === "line";
  const template = isLine ? withProvenance(part.template, undefined) : part.template;
  const group = `${under}${wanted.group}`;
  const names = isGrid ? [RUN, LEAD] : [isLine ? template.shape.dimension : RUN];
  const leading: Leading = { names, lengths: wanted.lengths, indexOf: (at) => viewIndex(wanted, at) };
  const changes = part.changes.map(({ at, cell }): SlotChange => ({ slot: at, row: cell?.row ?? null }));
  const context: Omit<ArrayContext, "shaped" | "attributes" | "isSparse"> = {
    template,
    changes,
    granules: isLine ? withProvenances(part) : part.granules,
    steps: 1,
    // A line that was longer once left chunks behind its end: what is a gap now is one whatever lies there.
    from: part.isFirst ? 0 : Number.POSITIVE_INFINITY,
    timeAt: (at) => wanted.validMs[at] as number,
    leading,
    hasGaps: wanted.cells.includes(null),
  };
  const arrays: ArrayChange[] = [];
  for (const shaped of template.shape.arrays) {
    const attributes = productAttributes(shaped.array.attributes, shown, shaped.path);
    const its = { ...context, shaped, attributes, isSparse: shown.sparse.includes(shaped.path) };
    if (shaped.role === "static") {
      if (part.isFirst) arrays.push(staticChange(shaped, attributes, template));
    } else if (shaped.role === "along") arrays.push(alongChange(its));
    else arrays.push(isGrid ? cellsChange(its) : packedChange(its));
  }
  if (!template.shape.hasAxisArray) {
    const made = { ...context, ...madeAxis(template), isSparse: false };
    arrays.push(isGrid ? cellsChange(made) : packedChange(made));
  }
  const axisGroup = groupOf(template.shape.axisPath);
  if (isGrid) arrays.push(...indicesOf(part, axisGroup));
  if (wanted.form === "runs") arrays.push(...alongRuns(part, axisGroup));
  return {
    groups: [...parentsOf(part), ...groupChanges(withCoordinates(template, wanted.form), shown, group)],
    arrays: arrays.map((array) => ({ ...array, path: `${group}${array.path}` })),
  };
}

/** The groups that views lie in, with what granules say of themselves. */
function parentsOf({ under, wanted, template, shown }: ViewPart): StoreChange["groups"] {
  const root = groupMetadata(productAttributes(template.root.attributes, shown, "/"));
  const segments = wanted.group.split("/").slice(1, -1);
  const between = segments.map((_, index) => `${under}/${segments.slice(0, index + 1).join("/")}`);
  return [
    { path: under === "" ? "/" : under, metadata: root },
    ...between.map((path) => ({ path, metadata: groupMetadata(new Map()) })),
  ];
}

/** Readers take for coordinates what the axis' group names as such (CF Conventions 1.11, 5; xarray reads it of groups too). */
function withCoordinates({ root, shape: { axisPath } }: PlacedGranule, form: ViewLayout["form"]): VirtualGroup {
  const time = axisPath.slice(groupOf(axisPath).length + 1);
  const names = { grid: time, line: `${RUN} ${LEAD}`, runs: `${LEAD} ${time}` }[form];
  const visit = (group: VirtualGroup, path: string): VirtualGroup => {
    if (path === groupOf(axisPath)) return naming(group, names);
    return { ...group, groups: new Map([...group.groups].map(([name, child]) => [name, visit(child, `${path}/${name}`)])) };
  };
  return visit(root, "");
}

function naming(group: VirtualGroup, names: string): VirtualGroup {
  const named = group.attributes.get("coordinates");
  const before = named?.type === "text" ? `${named.value} ` : "";
  return { ...group, attributes: new Map([...group.attributes, ["coordinates", textAttribute(`${before}${names}`)]]) };
}

function withProvenances({ wanted, changes, granules }: ViewPart): ReadonlyMap<number, PlacedGranule> {
  const all = new Map<number, PlacedGranule>();
  for (const { at } of changes) {
    const granule = granules.get(at);
    const cell = wanted.cells[at];
    if (granule !== undefined && cell) all.set(at, withProvenance(granule, cell));
  }
  return all;
}

/** The granule with its run and lead as scalars beside its valid time. */
function withProvenance(granule: PlacedGranule, cell: Pick<ViewCell, "runMs" | "leadMs"> | undefined): PlacedGranule {
  const beside = groupOf(granule.shape.axisPath);
  const made = [
    madeScalar(beside, RUN, RUN_ATTRIBUTES, (cell?.runMs ?? 0) / 1000),
    madeScalar(beside, LEAD, LEAD_ATTRIBUTES, (cell?.leadMs ?? 0) / 1000),
  ];
  return { ...granule, shape: { ...granule.shape, arrays: [...granule.shape.arrays, ...made] } };
}

const RUN_ATTRIBUTES: Attributes = new Map([
  ["standard_name", textAttribute("forecast_reference_time")],
  ["long_name", textAttribute("forecast reference time")],
  ["units", textAttribute("seconds since 1970-01-01 00:00:00")],
  ["calendar", textAttribute("proleptic_gregorian")],
]);
const LEAD_ATTRIBUTES: Attributes = new Map([
  ["standard_name", textAttribute("forecast_period")],
  ["long_name", textAttribute("forecast period")],
  ["units", textAttribute("seconds")],
]);

function madeScalar(group: string, name: string, attributes: Attributes, value: number): ShapedArray {
  const builder = new ChunkManifestBuilder([]);
  builder.setInline(0, encodeValue("int64", value));
  const array: VirtualArray = {
    name,
    shape: [],
    chunkShape: [],
    dimensionNames: [],
    dataType: { kind: "number", name: "int64" },
    codecs: [bytesCodec("little")],
    fillValue: 0n,
    attributes,
    manifest: builder.build(),
  };
  return { path: `${group}/${name}`, role: "packed", axisIndex: 0, isNewAxis: true, array };
}

/** The grid's coordinates. */
function indicesOf({ wanted, isFirst, changes }: ViewPart, group: string): ArrayChange[] {
  const { runsMs, leadsMs } = wanted;
  const touched = new Set(changes.map(({ at }) => Math.floor(at / leadsMs.length)));
  const rows = new Map([...touched].map((run) => [run, encodeValue("int64", (runsMs[run] as number) / 1000)]));
  const fill = encodeValue("int64", 0);
  const leads = Buffer.concat(leadsMs.map((ms) => encodeValue("int64", ms / 1000)));
  return [
    {
      ...index(group, RUN, runsMs.length, RUNS_PER_CHUNK, RUN_ATTRIBUTES),
      patch: { rowsPerChunk: RUNS_PER_CHUNK, fill, rows, trailing: 0 },
    },
    {
      ...index(group, LEAD, leadsMs.length, leadsMs.length, LEAD_ATTRIBUTES),
      native: isFirst ? [{ index: [0], bytes: leads }] : [],
    },
  ];
}

/** The coordinates of the runs of one valid time. */
function alongRuns({ wanted, changes }: ViewPart, group: string): ArrayChange[] {
  const { runsMs, leadsMs } = wanted;
  const patchOf = (values: readonly number[]): ArrayChange["patch"] => ({
    rowsPerChunk: RUNS_PER_CHUNK,
    fill: encodeValue("int64", 0),
    rows: new Map(changes.map(({ at }) => [at, encodeValue("int64", (values[at] as number) / 1000)])),
    trailing: 0,
  });
  return [
    { ...index(group, RUN, runsMs.length, RUNS_PER_CHUNK, RUN_ATTRIBUTES), patch: patchOf(runsMs) },
    { ...index(group, LEAD, leadsMs.length, RUNS_PER_CHUNK, LEAD_ATTRIBUTES, RUN), patch: patchOf(leadsMs) },
  ];
}

function index(
  group: string,
  name: string,
  length: number,
  chunk: number,
  attributes: Attributes,
  dimension = name,
): ArrayChange {
  const metadata = arrayMetadata({
    shape: [length],
    chunkShape: [chunk],
    dimensionNames: [dimension],
    dataType: { kind: "number", name: "int64" },
    codecs: [bytesCodec("little")],
    fillValue: 0n,
    attributes,
  });
  return { path: `${group}/${name}`, metadata, virtual: [], native: [], erase: [], patch: undefined };
}
