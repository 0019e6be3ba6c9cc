import { FreshetError } from "../errors/index.ts";
import type { SourceLimits } from "../storage/index.ts";
import { readCalendar } from "./calendar-spec.ts";
import { completeCatalog } from "./catalog-schema.ts";
import { completeCollection } from "./collection-schema.ts";
import type {
  AmqpDelivery,
  CmrSearch,
  Credentials,
  Dataset,
  ForecastView,
  Keep,
  Listing,
  Maintenance,
  Nowcast,
  Product,
  Runs,
  Source,
  SqsDelivery,
  TimeseriesProduct,
} from "./dataset.ts";
import { parseDuration } from "./duration.ts";
import type { DatasetInput, ForecastInput, RunsInput, SourceInput, TimeseriesInput } from "./file-schema.ts";
import { completeForms } from "./form-schema.ts";
import { parseInstant } from "./instant.ts";
import { parseLeads, parseNowcastValid } from "./leads.ts";
import type { MessageRule } from "./message-fields.ts";
import { type FieldKind, NameGrammarError } from "./name-token.ts";
import { namesOf } from "./names-of.ts";
import { completeNotify } from "./notify-schema.ts";
import { completeS3 } from "./s3-access.ts";
import { parseFolder, parsePlace, parsePrefix } from "./source-uri.ts";

/** Defaults of the durations, as a dataset file would write them. docs/dataset-file.md gives the reasons. */
const DEFAULTS = {
  coalesce: "1s",
  deadline: "1h",
  every: "30s",
  sweep: "6h",
  upkeep: "1d",
  grace: "1d",
  visibility: "60s",
  listing: "15m",
  cmr: "1h",
  back: "3d",
} as const;
/** A granule costs one of them about as much as a reader's first look. */
const VERIFIED_CHUNKS = 8;
/** Where Earthdata's buckets are; its keys hold nowhere else. */
const EARTHDATA_REGION = "us-west-2";
const CMR = "https://cmr.earthdata.nasa.gov/";
const EARTHDATA_LOGIN = "https://urs.earthdata.nasa.gov/";
/** As Sarracenia has it. */
const PREFETCH = 25;
/** Positions for each manifest: 1 000 to 10 000 keep both appends and manifests small (reference/icechunk.md). */
const DEFAULT_SPLIT = 1000;

type ProductInput = DatasetInput["products"][number];

/** The source that a checked document declares; relative folders are relative to `baseFolder`. */
export function completeSource(name: string, input: SourceInput, baseFolder: string): Source {
  const alternatives = (input.alternatives ?? []).map((prefix) => checked(parsePrefix(prefix, baseFolder)));
  return {
    name,
    at: checked(parsePrefix(input.at, baseFolder)),
    allow: sorted([...(input.allow ?? []).map((prefix) => checked(parsePrefix(prefix, baseFolder))), ...alternatives]),
    ...(alternatives.length === 0 ? {} : { alternatives }),
    ...(input.limits === undefined ? {} : { limits: completeLimits(input.limits) }),
    ...completeMirror(input, baseFolder),
    ...completeS3Access(input),
    ...(input.sqs === undefined ? {} : { sqs: completeSqs(input.sqs) }),
    ...(input.amqp === undefined ? {} : { amqp: completeAmqp(input.amqp) }),
    ...(input.listing === undefined ? {} : { listing: completeListing(input.listing) }),
    ...(input.cmr === undefined ? {} : { cmr: completeCmr(input.cmr) }),
    ...(input.credentials === undefined ? {} : { credentials: completeCredentials(input.credentials) }),
  };
}

/** What is not set stays so: the defaults are those of the requests. */
function completeLimits(input: NonNullable<SourceInput["limits"]>): SourceLimits {
  const { concurrency, perSecond, ...durations } = input;
  const times = Object.entries(durations).filter(([, duration]) => duration !== undefined);
  return {
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(perSecond === undefined ? {} : { perSecond }),
    ...Object.fromEntries(times.map(([name, duration]) => [`${name}Ms`, milliseconds(duration as string)])),
  };
}

function completeCmr({ every, provider, back, checksums, endpoint }: NonNullable<SourceInput["cmr"]>): CmrSearch {
  return {
    endpoint: endpoint === undefined ? CMR : withSlash(endpoint),
    ...(provider === undefined ? {} : { provider }),
    everyMs: milliseconds(every ?? DEFAULTS.cmr),
    backMs: milliseconds(back ?? DEFAULTS.back),
    checksums: checksums ?? true,
  };
}

function completeCredentials(input: NonNullable<SourceInput["credentials"]>): Credentials {
  if (typeof input === "string") {
    return input === "netrc" ? { kind: "netrc" } : { kind: "earthdata", login: EARTHDATA_LOGIN };
  }
  if ("bearer" in input) return { kind: "bearer", token: input.bearer };
  const { token, login, s3 } = input.earthdata;
  return {
    kind: "earthdata",
    ...(token === undefined ? {} : { token }),
    login: login === undefined ? EARTHDATA_LOGIN : withSlash(login),
    ...(s3 === undefined ? {} : { s3: new URL(s3).href }),
  };
}

function withSlash(url: string): string {
  const { href } = new URL(url);
  return href.endsWith("/") ? href : `${href}/`;
}

/** Earthdata's temporary keys are for its own region: who names these credentials means it. */
function completeS3Access({ s3, credentials }: SourceInput): Pick<Source, "s3"> {
  const isEarthdata = credentials === "earthdata" || (typeof credentials === "object" && "earthdata" in credentials);
  if (s3 === undefined && !isEarthdata) return {};
  return { s3: completeS3(s3 ?? {}, isEarthdata ? EARTHDATA_REGION : undefined) };
}

function completeMirror({ mirror }: SourceInput, baseFolder: string): Pick<Source, "mirror" | "mirrorS3"> {
  if (mirror === undefined) return {};
  const { at, ...access } = typeof mirror === "string" ? { at: mirror } : mirror;
  const place = checked(parsePlace(at, baseFolder));
  return place.startsWith("s3:") ? { mirror: place, mirrorS3: completeS3(access) } : { mirror: place };
}

function completeSqs({ visibility, ...input }: NonNullable<SourceInput["sqs"]>): SqsDelivery {
  return { ...input, visibilityMs: milliseconds(visibility ?? DEFAULTS.visibility) };
}

function completeAmqp({ exchange, prefetch, accept, reject, ...input }: NonNullable<SourceInput["amqp"]>): AmqpDelivery {
  return {
    ...input,
    exchange: exchange ?? "xpublic",
    prefetch: prefetch ?? PREFETCH,
    accept: accept ?? [],
    reject: reject ?? [],
  };
}

function completeListing({ every, below, back }: NonNullable<SourceInput["listing"]>): Listing {
  return { everyMs: milliseconds(every ?? DEFAULTS.listing), below: below ?? [""], back: back ?? 1 };
}

/** The dataset that a checked document declares. */
export function completeDataset(input: DatasetInput, source: Source, baseFolder: string): Dataset {
  const runs = input.runs && completeRuns(input.runs);
  const match = typeof input.match === "string" ? [input.match] : (input.match ?? []);
  const message = input.from.message === undefined ? undefined : completeMessage(input.from);
  return {
    name: input.name,
    source,
    ...(input.from.collection === undefined
      ? {}
      : { collection: { id: input.from.collection, granules: sorted(input.from.granules ?? []) } }),
    match,
    ...(message === undefined ? {} : { message }),
    ...completeQuiet(input.from),
    scan: {
      drop: sorted(input.scan?.drop ?? []),
      ...(input.scan?.load === undefined ? {} : { load: sorted(input.scan.load) }),
      ...(input.scan?.unreferenceable === "native" ? { unreferenceable: "native" as const } : {}),
    },
    ...(runs === undefined ? {} : { runs }),
    products: input.products.map((product) => completeProduct(product, runs, kindsOf({ match, message }), baseFolder)),
    ...(input.attributes === undefined ? {} : { attributes: input.attributes }),
    policies: {
      late: input.policies?.late ?? "insert",
      replaced: input.policies?.replaced ?? "replace",
      duplicate: input.policies?.duplicate ?? "newest",
      missing: input.policies?.missing ?? "gap",
      drift: input.policies?.drift ?? "quarantine",
      withdrawn: input.policies?.withdrawn ?? "drop",
    },
    publish: {
      coalesceMs: milliseconds(input.publish?.coalesce ?? DEFAULTS.coalesce),
      verify: { chunks: input.publish?.verify?.chunks ?? VERIFIED_CHUNKS },
    },
    maintenance: completeMaintenance(input.maintenance),
    ...(input.catalog === undefined ? {} : { catalog: completeCatalog(input.catalog, baseFolder) }),
    ...(input.notify === undefined ? {} : { notify: input.notify.map(completeNotify) }),
    ...(input.hold === undefined ? {} : { holdMs: milliseconds(input.hold) }),
    await: {
      deadlineMs: milliseconds(input.await?.deadline ?? DEFAULTS.deadline),
      everyMs: milliseconds(input.await?.every ?? DEFAULTS.every),
      ...(input.await?.forbidden === "await" ? { forbidden: "await" as const } : {}),
    },
  };
}

function completeMessage({ message = {}, select = {} }: DatasetInput["from"]): MessageRule {
  const { uri = "", ...fields } = message;
  const values = Object.entries(select).map(([name, value]) => [name, sorted([value].flat().map(String))] as const);
  return { uri, fields: fields as Readonly<Record<string, string>>, select: Object.fromEntries(values) };
}

function completeQuiet({ quiet, unseen }: DatasetInput["from"]): Pick<Dataset, "quiet"> {
  if (quiet === undefined && unseen === undefined) return {};
  return {
    quiet: {
      ...(quiet === undefined ? {} : { afterMs: milliseconds(quiet) }),
      ...(unseen === undefined ? {} : { unseen }),
    },
  };
}

function completeMaintenance({
  sweep,
  upkeep,
  grace,
  keep,
  reconcile,
}: NonNullable<DatasetInput["maintenance"]> = {}): Maintenance {
  return {
    sweepMs: milliseconds(sweep ?? DEFAULTS.sweep),
    upkeepMs: milliseconds(upkeep ?? DEFAULTS.upkeep),
    graceMs: milliseconds(grace ?? DEFAULTS.grace),
    ...(keep === undefined ? {} : { keep: { versions: keep.versions ?? 1, forMs: milliseconds(keep.for ?? "0s") } }),
    ...(reconcile === undefined ? {} : { reconcile: { everyMs: milliseconds(reconcile.every), act: reconcile.act ?? false } }),
  };
}

/** A dataset that an earlier version of Freshet completed, with the defaults of what it did not know of. */
export function withNewDefaults(dataset: Dataset): Dataset {
  const { policies, publish, maintenance } = dataset as Partial<Dataset>;
  return {
    ...dataset,
    policies: { ...dataset.policies, withdrawn: policies?.withdrawn ?? "drop" },
    publish: { ...dataset.publish, verify: publish?.verify ?? { chunks: VERIFIED_CHUNKS } },
    maintenance: maintenance ?? completeMaintenance(),
  };
}

/** What the fields of granules' names hold; of grammars that contradict each other, which is told elsewhere, nothing. */
function kindsOf(names: Pick<Dataset, "match" | "message">): ReadonlyMap<string, FieldKind> {
  try {
    return namesOf(names).kinds;
  } catch (error) {
    if (error instanceof NameGrammarError) return new Map();
    throw error;
  }
}

function completeProduct(
  { timeseries, forecast, collection }: ProductInput,
  runs: Runs | undefined,
  kinds: ReadonlyMap<string, FieldKind>,
  baseFolder: string,
): Product {
  if (collection !== undefined) return completeCollection(collection, kinds, baseFolder, DEFAULT_SPLIT);
  return forecast === undefined
    ? completeTimeseries(checked(timeseries), baseFolder)
    : completeForecast(forecast, runs ?? NO_RUNS, baseFolder);
}

/** A dataset with a forecast and without runs is refused once it is complete. */
const NO_RUNS: Runs = { cycle: { kind: "fixed", everyMs: 1, anchorMs: 0 }, leadsMs: [] };

function completeRuns({ every, at, leads, nowcast, deadline, publish }: RunsInput): Runs {
  const reading = readCalendar({ every, at });
  return {
    cycle: checked(reading.ok ? reading.calendar : undefined),
    leadsMs: checked(parseLeads([leads].flat())),
    ...(nowcast === undefined ? {} : { nowcast: completeNowcast(nowcast) }),
    ...(deadline === undefined ? {} : { deadlineMs: milliseconds(deadline) }),
    ...(publish === "when-complete" ? { publish } : {}),
  };
}

function completeNowcast({ kind, valid, leads }: NonNullable<RunsInput["nowcast"]>): Nowcast {
  return { kind, offsetMs: checked(parseNowcastValid(valid ?? "run+lead")), leadsMs: checked(parseLeads([leads].flat())) };
}

function completeForecast(input: ForecastInput, runs: Runs, baseFolder: string): Product {
  const axis = axisOf(input);
  const { deadlineMs: _deadline, publish: _publish, ...form } = runs;
  return {
    kind: "forecast",
    name: input.name ?? "forecast",
    axis,
    dimension: input.dimension ?? nameOf(axis),
    ...fileCalendarOf(input),
    runs: form,
    views: (input.views ?? ["best", "latest", "fmrc"]).flatMap(completeView),
    leastLeadMs: milliseconds(input.least ?? "0h"),
    ...completeKeep(input.keep?.runs, input.keep, "cut"),
    ...(input.intervals === "mixed" ? { intervals: "mixed" as const } : {}),
    store: checked(parseFolder(input.store, baseFolder)).replace(/\/$/, ""),
    split: input.split ?? DEFAULT_SPLIT,
    ...completeForms(input.also, baseFolder),
  };
}

/** A path from the root, without the slash before it. */
function axisOf({ axis }: Pick<TimeseriesInput, "axis">): string {
  return (axis ?? "time").replace(/^\//, "");
}

function fileCalendarOf(input: Pick<TimeseriesInput, "calendar-of-file">): Pick<TimeseriesProduct, "fileCalendar"> {
  return input["calendar-of-file"] === "as-standard" ? { fileCalendar: "as-standard" } : {};
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function completeKeep(
  newest: number | undefined,
  keep: Pick<NonNullable<ForecastInput["keep"]>, "for" | "front"> | undefined,
  front: Keep["front"],
): { readonly keep?: Keep } {
  if (keep === undefined) return {};
  return {
    keep: {
      ...(newest === undefined ? {} : { newest }),
      ...(keep.for === undefined ? {} : { forMs: milliseconds(keep.for) }),
      front: keep.front ?? front,
    },
  };
}

function completeView(view: NonNullable<ForecastInput["views"]>[number]): ForecastView[] {
  if (typeof view === "string") return [{ kind: view }];
  if ("offset" in view) return [view.offset].flat().map((lead) => ({ kind: "offset", leadMs: milliseconds(lead) }));
  return [view.valid].flat().map((text) => {
    const withinMs = parseDuration(text);
    return withinMs === undefined ? { kind: "valid", validMs: checked(parseInstant(text)).ms } : { kind: "recent", withinMs };
  });
}

function completeTimeseries(input: TimeseriesInput, baseFolder: string): Product {
  const reading = readCalendar(input.calendar);
  const axis = axisOf(input);
  return {
    kind: "timeseries",
    name: input.name ?? "timeseries",
    axis,
    dimension: input.dimension ?? nameOf(axis),
    ...fileCalendarOf(input),
    calendar: checked(reading.ok ? reading.calendar : undefined),
    ...completeKeep(input.keep?.granules, input.keep, input.calendar.from === undefined ? "cut" : "keep"),
    store: checked(parseFolder(input.store, baseFolder)).replace(/\/$/, ""),
    split: input.split ?? DEFAULT_SPLIT,
    ...completeForms(input.also, baseFolder),
  };
}

function milliseconds(duration: string): number {
  return checked(parseDuration(duration));
}

/** Their order means nothing, and must not change the hash. */
function sorted(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].sort();
}

/** The schema has looked at the value already; what it let through can be read. */
function checked<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new FreshetError("corrupt", "a checked dataset document cannot be read");
  return value;
}
