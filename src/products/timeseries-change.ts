import { FreshetError } from "../errors/index.ts";
import {
  type Attributes,
  type AttributeValue,
  arraysOf,
  sameAttribute,
  textAttribute,
  type VirtualGroup,
} from "../virtual/index.ts";
import { type ArrayChange, arrayMetadata, encodeTexts, groupMetadata, type StoreChange } from "../writers/icechunk/index.ts";
import { alongChange, packedChange, staticChange } from "./array-change.ts";
import type { ShapedArray } from "./granule-shape.ts";
import { PAGE_ROWS, pageOf } from "./layout.ts";
import type { PlacedGranule, TimeseriesChange } from "./placed-granule.ts";
import { LAYOUT_ARRAY, STATE_GROUP, type StateHeader } from "./stored-state.ts";

/**
 * What one publication of a time series writes: references and coordinates of the changed slots, the arrays' metadata, and the
 * state. Pure: the same input gives the same bytes.
 * @throws FreshetError `unsupported` when a gap could not be told from a number.
 */
export function timeseriesChange(input: TimeseriesChange): StoreChange {
  const { template, layout } = input;
  const isFirst = input.before === undefined;
  const dropped = dropDiffering(input.before?.dropped ?? {}, template, [...input.granules.values()]);
  const sparse = new Set(input.before?.sparse ?? []);
  for (const granule of input.granules.values()) {
    for (const { path, role, array } of granule.shape.arrays) {
      if (role === "along" && array.manifest.counts().missing > 0) sparse.add(path);
    }
  }
  const header: StateHeader = { ...input.header, dropped, sparse: [...sparse].sort() };
  const hasGaps = layout.rows.includes(null);
  const axisLength = layout.rows.length * header.steps;

  const arrays: ArrayChange[] = [];
  for (const shaped of template.shape.arrays) {
    const attributes = without(shaped.array.attributes, dropped[shaped.path]);
    const context = { ...input, shaped, attributes, axisLength, hasGaps, isSparse: sparse.has(shaped.path), steps: header.steps };
    switch (shaped.role) {
      case "static":
        if (isFirst) arrays.push(staticChange(shaped, attributes, template.source));
        break;
      case "along":
        arrays.push(alongChange(context));
        break;
      case "axis":
      case "packed":
        arrays.push(packedChange(context));
        break;
    }
  }
  if (!template.shape.hasAxisArray)
    arrays.push(packedChange({ ...input, ...madeAxis(input), axisLength, hasGaps, isSparse: false, steps: header.steps }));
  return { groups: groupChanges(template.root, dropped, header), arrays: [...arrays, layoutChange(input)] };
}

/** The time coordinate of granules that have none: made from the layout. */
function madeAxis({ template }: TimeseriesChange): { shaped: ShapedArray; attributes: Attributes } {
  const { dimension } = template.shape;
  const attributes = new Map([
    ["units", textAttribute("seconds since 1970-01-01 00:00:00")],
    ["calendar", textAttribute("proleptic_gregorian")],
    ["standard_name", textAttribute("time")],
  ]);
  const [any] = template.shape.arrays;
  if (any === undefined) throw new FreshetError("unsupported", "a granule has no array that can be published");
  const array = {
    ...any.array,
    name: dimension,
    shape: [],
    chunkShape: [],
    dimensionNames: [],
    dataType: { kind: "number", name: "int64" } as const,
    fillValue: 0,
    attributes,
  };
  return { shaped: { path: `/${dimension}`, role: "axis", axisIndex: 0, isNewAxis: true, array }, attributes };
}

function groupChanges(root: VirtualGroup, dropped: StateHeader["dropped"], header: StateHeader): StoreChange["groups"] {
  const groups: { path: string; metadata: string }[] = [];
  const visit = (group: VirtualGroup, path: string): void => {
    groups.push({
      path: path === "" ? "/" : path,
      metadata: groupMetadata(without(group.attributes, dropped[path === "" ? "/" : path])),
    });
    for (const [name, child] of group.groups) visit(child, `${path}/${name}`);
  };
  visit(root, "");
  const state = JSON.stringify({ zarr_format: 3, node_type: "group", attributes: { freshet: header } });
  return [...groups, { path: STATE_GROUP, metadata: state }];
}

function layoutChange({ layout, changes, from }: TimeseriesChange): ArrayChange {
  const pages = new Set(changes.map(({ slot }) => Math.floor(slot / PAGE_ROWS)));
  const count = Math.ceil(layout.rows.length / PAGE_ROWS);
  if (layout.rows.length < from && count > 0) pages.add(count - 1);
  const metadata = arrayMetadata({
    shape: [count],
    chunkShape: [1],
    dimensionNames: ["page"],
    dataType: { kind: "string" },
    codecs: [{ name: "vlen-utf8", configuration: {} }],
    fillValue: "",
    attributes: new Map([
      [
        "content",
        textAttribute(
          `JSON, ${PAGE_ROWS} slots a page: [key, identity, valid time in ms, scan uri, scan sha256], or null for a gap`,
        ),
      ],
    ]),
  });
  const native = [...pages].map((page) => ({ index: [page], bytes: encodeTexts([pageOf(layout, page)]) }));
  return { path: LAYOUT_ARRAY, metadata, virtual: [], native, erase: [], patch: undefined };
}

/** Attributes of the template that some granule lacks or has otherwise: they belong to granules, not to the product. */
function dropDiffering(
  before: StateHeader["dropped"],
  template: PlacedGranule,
  granules: readonly PlacedGranule[],
): Record<string, readonly string[]> {
  const dropped = new Map(Object.entries(before).map(([path, names]) => [path, new Set(names)]));
  const expected = attributesByPath(template.root);
  for (const granule of granules) {
    const found = attributesByPath(granule.root);
    for (const [path, attributes] of expected) {
      for (const [name, value] of attributes) {
        const other = found.get(path)?.get(name);
        if (other !== undefined && sameAttribute(value, other)) continue;
        dropped.set(path, (dropped.get(path) ?? new Set()).add(name));
      }
    }
  }
  return Object.fromEntries([...dropped].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, names]) => [path, [...names].sort()]));
}

function attributesByPath(root: VirtualGroup): Map<string, Attributes> {
  const byPath = new Map<string, Attributes>([["/", root.attributes]]);
  for (const [path, array] of arraysOf(root)) byPath.set(path, array.attributes);
  const visit = (group: VirtualGroup, path: string): void => {
    for (const [name, child] of group.groups) {
      byPath.set(`${path}/${name}`, child.attributes);
      visit(child, `${path}/${name}`);
    }
  };
  visit(root, "");
  return byPath;
}

function without(attributes: Attributes, names: readonly string[] = []): Attributes {
  if (names.length === 0) return attributes;
  const left = new Set(names);
  return new Map<string, AttributeValue>([...attributes].filter(([name]) => !left.has(name)));
}
