import { isDeepStrictEqual } from "node:util";
import { type CollectionProduct, isOfSwaths } from "./collection.ts";
import { type Dataset, datesOf, type Product, type TimeseriesProduct } from "./dataset.ts";

/** What has to be done so that a dataset goes by a changed file. */
export interface ChangeClass {
  /** `in-place`: from the next granule on. `rebuild`: some products are built aside by the new file, then switched. */
  readonly kind: "none" | "in-place" | "rebuild" | "refused";
  /** Every difference with what follows from it, in words. */
  readonly reasons: readonly string[];
  /** Products to rebuild, by the new file. */
  readonly rebuild: readonly string[];
}

/** Classifies a change of a dataset file before anything happens. Pure. */
export function classifyChange(before: Dataset, after: Dataset): ChangeClass {
  const reasons: string[] = [];
  const refused: string[] = [];
  const rebuild = new Set<string>();
  const inPlace = (what: string, was: unknown, is: unknown): void => {
    if (!isDeepStrictEqual(was, is)) reasons.push(`${what}: in place`);
  };
  inPlace("match", before.match, after.match);
  inPlace("runs", before.runs, after.runs);
  inPlace("message", before.message, after.message);
  inPlace("quiet", before.quiet, after.quiet);
  inPlace("source", before.source, after.source);
  inPlace("collection", before.collection, after.collection);
  inPlace("publish", before.publish, after.publish);
  inPlace("await", before.await, after.await);
  inPlace("hold (of what is announced from now on)", before.holdMs, after.holdMs);
  inPlace("maintenance", before.maintenance, after.maintenance);
  inPlace("catalog", before.catalog, after.catalog);
  inPlace("notify", before.notify, after.notify);
  const { missing: missingBefore, ...policiesBefore } = before.policies;
  const { missing: missingAfter, ...policiesAfter } = after.policies;
  inPlace("policies", policiesBefore, policiesAfter);

  const isOmitted = (name: string): boolean => after.scan.drop.includes(name);
  const taken = before.scan.drop.filter((name) => !isOmitted(name));
  if (taken.length > 0) {
    refused.push(
      `scan.drop: ${taken.join(", ")} would come back, which no scan that was kept has; give the dataset another name and store, and ingest again`,
    );
  }
  if (!isDeepStrictEqual(before.scan.load, after.scan.load)) {
    refused.push(
      "scan.load: granules would have other values read than those that are published; give the dataset another name and store, and ingest again",
    );
  }
  if (isOfSwaths(before) !== isOfSwaths(after)) {
    refused.push(
      "a collection along granules: its granules have other values read than those that are published; give the dataset another name and store, and ingest again",
    );
  }
  if (before.scan.unreferenceable !== after.scan.unreferenceable) {
    refused.push(
      "scan.unreferenceable: granules would have other variables than those that are published; give the dataset another name and store, and ingest again",
    );
  }
  if (before.products[0]?.fileCalendar !== after.products[0]?.fileCalendar) {
    refused.push(
      "calendar-of-file: granules would be valid at other times than those that are published; give the dataset another name and store, and ingest again",
    );
  }
  const [first, firstAfter] = [before.products[0], after.products[0]];
  if (first !== undefined && firstAfter !== undefined && datesOf(first) !== datesOf(firstAfter)) {
    refused.push(
      `calendar.dates: ${datesOf(first)} → ${datesOf(firstAfter)}; granules would be valid at other times than those that are published; give the dataset another name and store, and ingest again`,
    );
  }
  const added = after.scan.drop.filter((name) => !before.scan.drop.includes(name));
  for (const product of after.products) {
    const earlier = before.products.find(({ name }) => name === product.name);
    if (earlier === undefined) {
      reasons.push(`${product.name}: a new product, built from what is published`);
      continue;
    }
    const why = whyRebuild(earlier, product);
    if (added.length > 0) why.push(`without ${added.join(", ")}`);
    if (!isDeepStrictEqual(before.attributes, after.attributes)) why.push("other rules for attributes");
    if (missingBefore !== missingAfter) why.push(`missing: ${missingBefore} → ${missingAfter}`);
    if (why.length > 0) {
      rebuild.add(product.name);
      reasons.push(`${product.name}: rebuilt aside and switched (${why.join("; ")})`);
    } else if (!isDeepStrictEqual(earlier, product)) {
      reasons.push(`${product.name}: in place (bounds of its calendar, what stays, split, or forms)`);
    }
  }
  for (const product of before.products) {
    if (!after.products.some(({ name }) => name === product.name))
      reasons.push(`${product.name}: no longer kept up; its store stays as it is`);
    const renamed = after.products.find(({ name, store }) => store === product.store && name !== product.name);
    if (renamed !== undefined)
      refused.push(
        `${renamed.name}: its store is that of ${product.name}; a product that changes its name needs a store of its own`,
      );
  }
  if (refused.length > 0) return { kind: "refused", reasons: [...refused, ...reasons], rebuild: [] };
  if (rebuild.size > 0) return { kind: "rebuild", reasons, rebuild: [...rebuild] };
  return { kind: reasons.length === 0 ? "none" : "in-place", reasons, rebuild: [] };
}

function whyRebuild(before: Product, after: Product): string[] {
  const why: string[] = [];
  if (before.kind === "timeseries" && after.kind === "timeseries") why.push(...whyOtherTimes(before, after));
  else if (before.kind === "forecast" && after.kind === "forecast") {
    if (!isDeepStrictEqual(before.runs, after.runs)) why.push("other runs or leads");
    if (!isDeepStrictEqual(before.views, after.views)) why.push("other views");
    if (before.leastLeadMs !== after.leastLeadMs) why.push("another least lead");
    // What stays for good begins with its first valid time, what expires with its first run.
    if ((before.keep === undefined) !== (after.keep === undefined)) why.push("another beginning");
  } else if (before.kind === "collection" && after.kind === "collection") {
    if (before.along !== after.along) why.push(`along: ${before.along} → ${after.along}`);
    else if (!isDeepStrictEqual(makingOf(before), makingOf(after)))
      why.push("another order, other coordinates or static variables");
  } else why.push(`a ${before.kind} that becomes a ${after.kind}`);
  if (before.axis !== after.axis) why.push(`axis: ${before.axis} → ${after.axis}`);
  if (before.dimension !== after.dimension) why.push(`dimension: ${before.dimension} → ${after.dimension}`);
  if (before.store !== after.store) why.push("another store; the old one stays as it is");
  return why;
}

/** What decides what a collection holds, and in which order. */
function makingOf({
  store: _store,
  split: _split,
  also: _also,
  axis: _axis,
  dimension: _dimension,
  ...making
}: CollectionProduct): unknown {
  return making;
}

function whyOtherTimes(before: TimeseriesProduct, after: TimeseriesProduct): string[] {
  const { fromMs: fromBefore, toMs: _toBefore, ...stepsBefore } = before.calendar;
  const { fromMs: fromAfter, toMs: _toAfter, ...stepsAfter } = after.calendar;
  if (!isDeepStrictEqual(stepsBefore, stepsAfter)) return ["another calendar"];
  return fromBefore === fromAfter ? [] : ["another beginning"];
}
