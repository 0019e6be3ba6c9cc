import type { Dataset } from "../dataset/index.ts";
import { isFreshetError } from "../errors/index.ts";
import { type LayoutRow, needsTally, type ToldAttributes, tallied, withEnds, withoutDropped } from "../products/index.ts";
import type { ScanStore } from "../scan/index.ts";
import type { VirtualGroup } from "../virtual/index.ts";
import type { Tick } from "./turn.ts";
import type { WantedEpoch } from "./wanted.ts";

/**
 * What the dataset file's rules make of the attributes of an epoch's granules, after a publication. Costs the granules that come and go; where the least or
 * greatest value goes with them, all granules. Undefined where there are no rules.
 * @param isFresh all granules are heard, whatever was said before.
 */
export async function toldAttributes(
  { layout, stored, difference }: WantedEpoch,
  isFresh: boolean,
  { scans, dataset, tick }: { readonly scans: ScanStore; readonly dataset: Dataset; readonly tick: Tick },
): Promise<ToldAttributes | undefined> {
  const rules = dataset.attributes;
  if (rules === undefined) return undefined;
  const rootOf = async (row: LayoutRow): Promise<VirtualGroup> =>
    withoutDropped((await scans.get(row.scan)).root, dataset.scan.drop);
  const [first, latest] = endsOf(layout);
  let told: ToldAttributes = {};
  if (needsTally(rules)) {
    const before = isFresh ? undefined : stored;
    const { come, gone } = comeAndGone(before?.layout, layout, before === undefined ? undefined : difference.changes);
    const next =
      before === undefined || before.header.told !== undefined
        ? await heard(before?.header.told ?? {}, come, gone, rootOf, rules, tick)
        : undefined;
    told =
      next ??
      ((await heard(
        {},
        [...layout.rows()].map(([, row]) => row),
        [],
        rootOf,
        rules,
        tick,
      )) as ToldAttributes);
  }
  return withEnds(told, rules, {
    first: first ? await rootOf(first) : undefined,
    latest: latest ? await rootOf(latest) : undefined,
  });
}

/** The first and the last granule of a layout. */
function endsOf(layout: WantedEpoch["layout"]): (LayoutRow | null)[] {
  let [first, last] = [0, layout.slots - 1];
  while (first < layout.slots && layout.at(first) === null) first++;
  while (last > first && layout.at(last) === null) last--;
  return [layout.at(first), layout.at(last)];
}

/** One granule at a time is in memory. Undefined where all have to be heard. */
async function heard(
  before: ToldAttributes,
  come: readonly LayoutRow[],
  gone: readonly LayoutRow[],
  rootOf: (row: LayoutRow) => Promise<VirtualGroup>,
  rules: NonNullable<Dataset["attributes"]>,
  tick: Tick,
): Promise<ToldAttributes | undefined> {
  let told: ToldAttributes | undefined = before;
  for (const [index, row] of come.entries()) {
    if (told === undefined) return undefined;
    told = tallied(told, rules, { come: [await rootOf(row)], gone: [] });
    tick(`reading attributes, ${index + 1} of ${come.length}`);
  }
  for (const row of gone) {
    if (told === undefined) return undefined;
    try {
      told = tallied(told, rules, { come: [], gone: [await rootOf(row)] });
    } catch (error) {
      // Its scan cannot be read any more, so what it said is not known.
      if (isFreshetError(error, "corrupt")) return undefined;
      throw error;
    }
  }
  return told;
}

/** Granules that stand in one layout and not in the other, by their scans; one that only moves is neither. */
function comeAndGone(
  before: WantedEpoch["layout"] | undefined,
  after: WantedEpoch["layout"],
  changes: WantedEpoch["difference"]["changes"] | undefined,
): { readonly come: LayoutRow[]; readonly gone: LayoutRow[] } {
  if (before === undefined || changes === undefined) return { come: [...after.rows()].map(([, row]) => row), gone: [] };
  const idOf = ({ key, scan }: LayoutRow): string => `${key}\n${scan.sha256}`;
  const come = new Map<string, LayoutRow>();
  const gone = new Map<string, LayoutRow>();
  for (const { slot, row } of changes) {
    if (row !== null) come.set(idOf(row), row);
    const earlier = before.at(slot);
    if (earlier !== null) gone.set(idOf(earlier), earlier);
  }
  for (let slot = after.slots; slot < before.slots; slot++) {
    const earlier = before.at(slot);
    if (earlier !== null) gone.set(idOf(earlier), earlier);
  }
  for (const id of [...come.keys()]) if (gone.delete(id)) come.delete(id);
  return { come: [...come.values()], gone: [...gone.values()] };
}
