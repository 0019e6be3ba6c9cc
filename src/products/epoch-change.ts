import { type AttributeRules, attributeRule } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import {
  type Attributes,
  type AttributeValue,
  sameAttribute,
  textAttribute,
  textOf,
  type VirtualGroup,
} from "../virtual/index.ts";
import { type ArrayChange, arrayMetadata, encodeTexts, groupMetadata, type StoreChange } from "../writers/icechunk/index.ts";
import { alongChange, type Leading, packedChange, staticChange } from "./array-change.ts";
import { attributeOf } from "./attribute-tally.ts";
import { attributesByPath } from "./attributes-by-path.ts";
import { isSameDecision } from "./granule-schema.ts";
import { isReencoded, type ShapedArray } from "./granule-shape.ts";
import { PAGE_ROWS } from "./layout.ts";
import type { EpochPart, PlacedGranule, Shown } from "./placed-granule.ts";
import { epochGroup, layoutArray, STATE_GROUP, type StateHeader } from "./stored-state.ts";

/**
 * What a part of a publication writes into one epoch: references and coordinates of the changed slots, the arrays' metadata, the
 * pages of the layout. Pure: the same input gives the same bytes.
 * @throws FreshetError `unsupported` when a gap could not be told from a number.
 */
export function epochChange(part: EpochPart): StoreChange {
  const { template, layout, shown, steps, epoch } = part;
  const hasGaps = layout.granules < layout.slots;
  const leading: Leading = {
    names: [template.shape.dimension],
    lengths: [layout.slots * steps],
    indexOf: (slot) => [slot],
  };
  const arrays: ArrayChange[] = [];
  for (const shaped of template.shape.arrays) {
    const attributes = productAttributes(shaped.array.attributes, shown, shaped.path);
    const context = { ...part, shaped, attributes, leading, hasGaps, isSparse: shown.sparse.includes(shaped.path) };
    switch (shaped.role) {
      case "static":
        if (part.isFirst) arrays.push(staticChange(shaped, attributes, template));
        break;
      case "whole":
        if (layout.granules > 0) arrays.push(staticChange(shaped, attributes, template));
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
    arrays.push(packedChange({ ...part, ...madeAxis(template), leading, hasGaps, isSparse: false }));
  const group = epochGroup(epoch);
  return {
    groups: groupsOf(template, shown, group),
    arrays: [...arrays.map((array) => ({ ...array, path: `${group}${array.path}` })), layoutChange(part)],
  };
}

/** The group that says what the store holds. */
export function stateChange(header: StateHeader): StoreChange["groups"][number] {
  return { path: STATE_GROUP, metadata: JSON.stringify({ zarr_format: 3, node_type: "group", attributes: { freshet: header } }) };
}

/** What is known once these granules have been seen too. */
export function showing(
  before: Shown,
  template: PlacedGranule,
  granules: readonly PlacedGranule[],
  rules: AttributeRules = {},
): Shown {
  const sparse = new Set(before.sparse);
  for (const granule of granules) {
    for (const { path, role, array } of granule.shape.arrays) {
      if (role === "along" && array.manifest.counts().missing > 0) sparse.add(path);
    }
  }
  return { ...before, dropped: dropDiffering(before.dropped, template, granules, rules), sparse: [...sparse].sort() };
}

/** The time coordinate of granules that have none: made from the layout. */
export function madeAxis(template: PlacedGranule): { shaped: ShapedArray; attributes: Attributes } {
  const { dimension, axisPath, dates } = template.shape;
  const attributes = new Map([
    ["units", textAttribute("seconds since 1970-01-01 00:00:00")],
    ["calendar", textAttribute(dates === "standard" ? "proleptic_gregorian" : dates)],
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
  return { shaped: { path: axisPath, role: "axis", axisIndex: 0, isNewAxis: true, array }, attributes };
}

/** Readers take for coordinates what the group names as such (CF Conventions 1.11, 5; xarray reads it of groups too). */
function groupsOf({ root, shape: { made = [] } }: PlacedGranule, shown: Shown, under: string): StoreChange["groups"] {
  const groups = groupChanges(root, shown, under);
  if (made.length === 0) return groups;
  const attributes = productAttributes(root.attributes, shown, "/");
  const named = [textOf(attributes, "coordinates") ?? "", ...made].filter((name) => name !== "").join(" ");
  const path = under || "/";
  const metadata = groupMetadata(new Map([...attributes, ["coordinates", textAttribute(named)]]));
  return groups.map((group) => (group.path === path ? { path, metadata } : group));
}

/** The groups of a granule, below a group of the store. */
export function groupChanges(root: VirtualGroup, shown: Shown, under: string): StoreChange["groups"] {
  const groups: { path: string; metadata: string }[] = [];
  const visit = (group: VirtualGroup, path: string): void => {
    const metadata = groupMetadata(productAttributes(group.attributes, shown, path === "" ? "/" : path));
    groups.push({ path: `${under}${path}` || "/", metadata });
    for (const [name, child] of group.groups) visit(child, `${path}/${name}`);
  };
  visit(root, "");
  return groups;
}

/** The pages of an epoch's layout that are not as they were. */
export function layoutChange({
  epoch,
  layout,
  changes,
  from,
}: Pick<EpochPart, "epoch" | "layout" | "changes" | "from">): ArrayChange {
  const pages = new Set(changes.map(({ slot }) => Math.floor(slot / PAGE_ROWS)));
  const count = layout.pageCount;
  if (layout.slots < from && count > 0) pages.add(count - 1);
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
  const native = [...pages].map((page) => ({ index: [page], bytes: encodeTexts([layout.page(page)]) }));
  return { path: layoutArray(epoch), metadata, virtual: [], native, erase: [], patch: undefined };
}

/** Attributes of the template that some granule lacks or has otherwise: they belong to granules, not to the product. */
function dropDiffering(
  before: Shown["dropped"],
  template: PlacedGranule,
  granules: readonly PlacedGranule[],
  rules: AttributeRules,
): Record<string, readonly string[]> {
  const dropped = new Map(Object.entries(before).map(([path, names]) => [path, new Set(names)]));
  const drop = (path: string, name: string): void => {
    dropped.set(path, (dropped.get(path) ?? new Set()).add(name));
  };
  const expected: { path: string; name: string; value: AttributeValue }[] = [];
  // Times are written in the template's units, whatever the granule's are.
  const axis = template.shape.arrays.find(isReencoded)?.path;
  for (const { path, isGroup, attributes } of attributesByPath(template.root)) {
    for (const [name, value] of attributes) {
      const rule = attributeRule(rules, isGroup ? undefined : path, name);
      // What another rule makes of it is told beside.
      if (rule !== undefined && rule !== "must-equal") drop(path, name);
      else if (!(path === axis && name === "units")) expected.push({ path, name, value });
    }
  }
  for (const granule of granules) {
    const found = new Map(attributesByPath(granule.root).map(({ path, attributes }) => [path, attributes]));
    for (const { path, name, value } of expected) {
      const other = found.get(path)?.get(name);
      if (other !== undefined && sameAttribute(value, other)) continue;
      if (!isSameDecision(name, value, other)) drop(path, name);
    }
  }
  return Object.fromEntries([...dropped].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, names]) => [path, [...names].sort()]));
}

/** Attributes that are the product's: those in which granules agree, and what the dataset file's rules make of the others. */
export function productAttributes(attributes: Attributes, { dropped, told }: Shown, path: string): Attributes {
  const left = dropped[path] ?? [];
  const rules = Object.entries(told?.[path] ?? {});
  if (left.length === 0 && rules.length === 0) return attributes;
  const result = new Map<string, AttributeValue>([...attributes].filter(([name]) => !left.includes(name)));
  for (const [name, { value }] of rules) {
    if (value === undefined) result.delete(name);
    else result.set(name, attributeOf(value));
  }
  return result;
}
