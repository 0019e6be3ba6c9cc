import type { SourceLimits } from "../storage/index.ts";
import type { AttributeRules } from "./attribute-rule.ts";
import type { Calendar } from "./calendar.ts";
import type { CollectionProduct } from "./collection.ts";
import type { Dates } from "./dates.ts";
import type { DriftPolicy } from "./drift.ts";
import type { CatalogAbout, Form } from "./form.ts";
import type { MessageRule } from "./message-fields.ts";
import type { S3Access } from "./s3-access.ts";

/** Where announcements and bytes come from. */
export interface Source {
  readonly name: string;
  /** Prefix of every uri that the source may announce: `https://…/`, `http://…/` or `file:///…/`; ends in `/`. */
  readonly at: string;
  /** Further prefixes that its announcements may name, in the same form. */
  readonly allow: readonly string[];
  /** Where our own copies are (`file:///…/` or `s3://bucket/…/`): references then point there, and never change under readers. */
  readonly mirror?: string | undefined;
  /** How a mirror in S3 is reached; `anonymous` says that its readers need no keys, we always sign. */
  readonly mirrorS3?: S3Access | undefined;
  /** Other servers that have the same paths below, in the order in which they are asked where `at` does not answer; `allow` has them too. */
  readonly alternatives?: readonly string[] | undefined;
  /** How its hosts are asked; what is not set is as `LIMITS` of storage has it. */
  readonly limits?: SourceLimits | undefined;
  /** How `s3://` is reached; undefined where the source has nothing of it, and where defaults do. */
  readonly s3?: S3Access | undefined;
  /** Ways by which its announcements come. */
  readonly sqs?: SqsDelivery | undefined;
  readonly amqp?: AmqpDelivery | undefined;
  readonly listing?: Listing | undefined;
  readonly cmr?: CmrSearch | undefined;
  /** Who we are there, by name only; undefined: nobody, and for S3 whom the environment says. */
  readonly credentials?: Credentials | undefined;
}

/** A queue of Amazon SQS, or of something that speaks like it. */
export interface SqsDelivery {
  /** The queue's URL, or `${NAME}`. */
  readonly queue: string;
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
  /** How long a message is ours before it is given to somebody else. */
  readonly visibilityMs: number;
}

/** A broker of AMQP 0-9-1, such as those of Sarracenia. */
export interface AmqpDelivery {
  /** `amqp://host/…`, `amqps://host/…` or `${NAME}`. */
  readonly broker: string;
  /** `${NAME}` each; undefined: anonymous. */
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly exchange: string;
  /** At least one. */
  readonly topics: readonly string[];
  readonly queue?: string | undefined;
  /** Messages that are under way at once. */
  readonly prefetch: number;
  /** Regular expressions on uris: one of `accept` must match where there is one, none of `reject` may. */
  readonly accept: readonly string[];
  readonly reject: readonly string[];
}

/** Folders that are looked at again and again. */
export interface Listing {
  readonly everyMs: number;
  /** Folders below `at`, perhaps with `{today:…}`; `""` is all of it. At least one. */
  readonly below: readonly string[];
  /** Days before today that `{today:…}` stands for too. */
  readonly back: number;
}

/** A Common Metadata Repository that is asked again and again. */
export interface CmrSearch {
  /** `https://…/`. */
  readonly endpoint: string;
  readonly provider?: string | undefined;
  readonly everyMs: number;
  /** How far back in revision dates the first look goes. */
  readonly backMs: number;
  /** Whether checksums that it tells are promised: each granule is then read whole. */
  readonly checksums: boolean;
}

/** Who asks a source for bytes. Secrets stand in it as `${NAME}`. */
export type Credentials =
  /** An account of NASA Earthdata. */
  | {
      readonly kind: "earthdata";
      /** `${NAME}`; undefined: `${EARTHDATA_TOKEN}` where that is set, else the login of netrc. */
      readonly token?: string | undefined;
      /** Where logins happen: `https://urs.earthdata.nasa.gov/`. */
      readonly login: string;
      /** Where temporary keys of S3 are given; undefined: by the bucket's name. */
      readonly s3?: string | undefined;
    }
  | { readonly kind: "bearer"; readonly token: string }
  /** By host, from the file that `NETRC` names, or `~/.netrc`. */
  | { readonly kind: "netrc" };

/** Which granules of a Common Metadata Repository are a dataset's. */
export interface CmrCollection {
  /** A short name, or a concept id such as `C1996881146-POCLOUD`. */
  readonly id: string;
  /** Patterns with `*` and `?`, one of which a granule's name must fit; empty: all. */
  readonly granules: readonly string[];
}

/**
 * What stays in a product: the newest so many granules (of a forecast: runs) of those that are there, and all that are younger than so
 * much; at least one of the two. The rest expires.
 */
export interface Keep {
  readonly newest?: number | undefined;
  /** Of a forecast by the run, else by the first valid time. */
  readonly forMs?: number | undefined;
  /** Positions before what stays are left as gaps (`keep`), or leave once there are more of them than of the others (`cut`). */
  readonly front: "cut" | "keep";
}

/** What the attribute `calendar` of files says is not so: their times count in the standard calendar. Undefined: it is so. */
export type FileCalendar = "as-standard";

/** A series of granules along one axis of time. */
export interface TimeseriesProduct {
  readonly kind: "timeseries";
  /** Unique in the dataset. */
  readonly name: string;
  /** The coordinate variable of the axis: `time`. */
  readonly axis: string;
  /** The dimension along which granules are joined; made where the file has a scalar time. */
  readonly dimension: string;
  readonly fileCalendar?: FileCalendar | undefined;
  /** Which instants have a place on the axis. */
  readonly calendar: Calendar;
  /** Undefined: everything stays. */
  readonly keep?: Keep | undefined;
  /** Where the product is kept: `file:///…` without a final `/`. */
  readonly store: string;
  /** Positions for each manifest of the store. */
  readonly split: number;
  /** Forms that are published beside the store; absent where there is none. */
  readonly also?: readonly Form[] | undefined;
}

/** When a model runs, and which files a run has. */
export interface Runs {
  /** Forecast reference times. */
  readonly cycle: Calendar;
  /** Leads of a run, in milliseconds, ascending; at least one. */
  readonly leadsMs: readonly number[];
  /** Files of a run that look back on the hours before it. */
  readonly nowcast?: Nowcast | undefined;
  /** How long after its forecast reference time a run should be whole. */
  readonly deadlineMs?: number | undefined;
  /** Nothing of a run is published before it is whole or its deadline is over. Undefined: granules are published as they come. */
  readonly publish?: "when-complete" | undefined;
}

/** Granules whose field `kind` has this value are valid `offsetMs` and their lead after the run. */
export interface Nowcast {
  readonly kind: string;
  readonly offsetMs: number;
  /** As names say them, ascending; at least one. */
  readonly leadsMs: readonly number[];
}

/**
 * Ways to look at a forecast's runs, in the words of THREDDS: all cells, run by lead (`fmrc`); for each valid time the newest run
 * (`best`), or the newest of those that are whole (`whole`); the newest run alone (`latest`); every run for itself (`run`); for each run
 * what it says of so much later (`offset`); for one valid time what each run says of it (`valid`), or for each valid time that is at most
 * so far from the newest run (`recent`).
 */
export type ForecastView =
  | { readonly kind: "fmrc" | "best" | "whole" | "latest" | "run" }
  | { readonly kind: "offset"; readonly leadMs: number }
  | { readonly kind: "valid"; readonly validMs: number }
  | { readonly kind: "recent"; readonly withinMs: number };

/** The runs of a model, and views of them: a forecast model run collection. */
export interface ForecastProduct {
  readonly kind: "forecast";
  readonly name: string;
  /** The coordinate variable of valid time. */
  readonly axis: string;
  readonly dimension: string;
  readonly fileCalendar?: FileCalendar | undefined;
  readonly runs: Runs;
  /** At least one; each is a group of the store. */
  readonly views: readonly ForecastView[];
  /** In `best`, a forecast that is younger than this is passed over. */
  readonly leastLeadMs: number;
  /** Fields of other intervals (accumulations, means) may stand side by side in `best` and `whole`. Undefined: they are drift. */
  readonly intervals?: "mixed" | undefined;
  /** Undefined: everything stays. */
  readonly keep?: Keep | undefined;
  readonly store: string;
  readonly split: number;
  /** Forms that are published beside the store; absent where there is none. */
  readonly also?: readonly Form[] | undefined;
}

/** What a dataset keeps. More kinds come with later versions; switch over `kind`. */
export type Product = TimeseriesProduct | ForecastProduct | CollectionProduct;

/** The calendar that the dates of a product are of. */
export function datesOf(product: Product): Dates {
  return (product.kind === "timeseries" ? product.calendar.dates : undefined) ?? "standard";
}

/** What is done where the world does not go by the plan. */
export interface Policies {
  /** A granule that comes after its successors takes its place among them. */
  readonly late: "insert";
  /** A newer revision of a published granule replaces its cells. */
  readonly replaced: "replace";
  /** Of several revisions for one position, the newest one is taken. */
  readonly duplicate: "newest";
  /** Positions of the calendar that no granule fills read as fill value (`gap`), or are no positions at all (`omit`). */
  readonly missing: "gap" | "omit";
  /** What is done about a granule that does not fit. */
  readonly drift: DriftPolicy;
  /** A granule that its source has taken back leaves the product, or stays as long as its bytes can be read. */
  readonly withdrawn: "drop" | "keep";
}

/** What others can be told of a dataset. */
export const NOTIFICATION_KINDS = ["published", "quarantined", "overdue", "publish-failed", "quiet"] as const;
export type NotificationKind = (typeof NOTIFICATION_KINDS)[number];

/** A way to tell others. Secrets are named, not held. */
export type NotifyChannel =
  | {
      readonly kind: "webhook";
      readonly url: string;
      readonly token?: string | undefined;
      readonly hmac?: string | undefined;
    }
  | {
      readonly kind: "sns";
      readonly topic: string;
      readonly region?: string | undefined;
      readonly endpoint?: string | undefined;
    }
  | {
      readonly kind: "sqs";
      readonly queue: string;
      readonly region?: string | undefined;
      readonly endpoint?: string | undefined;
    }
  | {
      readonly kind: "amqp";
      readonly broker: string;
      readonly user?: string | undefined;
      readonly password?: string | undefined;
      readonly exchange: string;
      /** Routing key. Default: `freshet.DATASET.KIND`. */
      readonly key?: string | undefined;
    }
  | {
      readonly kind: "github";
      /** `owner/name`. */
      readonly repository: string;
      /** The type of the repository dispatch event. */
      readonly event: string;
      readonly token: string;
      readonly endpoint?: string | undefined;
    };

/** Who is told what. */
export interface NotifyTarget {
  /** At least one. */
  readonly when: readonly NotificationKind[];
  readonly channel: NotifyChannel;
}

/** What is done about a dataset when nothing arrives. */
export interface Maintenance {
  /** How often the sources of what is published are looked at. */
  readonly sweepMs: number;
  /** How often the stores are tidied. */
  readonly upkeepMs: number;
  /** What is younger is never removed: it may belong to somebody who is still at work. */
  readonly graceMs: number;
  /** Versions that stay readable: the newest so many, and all that are younger than so much. Undefined: all. */
  readonly keep?: { readonly versions: number; readonly forMs: number } | undefined;
  /** How often source, ledger and stores are compared, and whether something is done about what differs. Undefined: when asked for. */
  readonly reconcile?: { readonly everyMs: number; readonly act: boolean } | undefined;
}

/** How others find the products. */
export interface Catalog {
  readonly about: CatalogAbout;
  readonly stac?: CatalogPlace | undefined;
  readonly xreds?: CatalogPlace | undefined;
}

interface CatalogPlace {
  /** `file:///…` or `s3://bucket/…`, without a final `/`. */
  readonly to: string;
  readonly s3?: S3Access | undefined;
  /** How often it is written at most; 0: with every version. */
  readonly everyMs: number;
}

/**
 * What one dataset document declares, complete: templates are filled in, defaults are set, paths are absolute, durations
 * are milliseconds. Plain data: it goes through JSON unchanged, and that text, with the keys sorted, is what the hash is of.
 */
export interface Dataset {
  readonly name: string;
  readonly source: Source;
  /** Undefined where the source is not asked for it by CMR. */
  readonly collection?: CmrCollection | undefined;
  /** Name grammars, as written; at least one, unless messages say what a granule is. `namesOf` makes a matcher of them. */
  readonly match: readonly string[];
  /** Where its granules are parts of model runs. */
  readonly runs?: Runs | undefined;
  /** How messages say what a granule is, where its name does not. */
  readonly message?: MessageRule | undefined;
  /** When people are to know that nothing comes: nothing new for so long, a pattern of `match` unseen for so many steps of the calendar. */
  readonly quiet?: { readonly afterMs?: number | undefined; readonly unseen?: number | undefined } | undefined;
  readonly scan: {
    /** Variables that are left out. */
    readonly drop: readonly string[];
    /** Whose values are read, beside those of coordinates: what is the same in every granule is compared by them. */
    readonly load?: readonly string[] | undefined;
    /** `native`: chunks that no reader decodes where they are, are decoded and kept in the store, however large the variable is. */
    readonly unreferenceable?: "native" | undefined;
  };
  /** What becomes of attributes in which granules differ. */
  readonly attributes?: AttributeRules | undefined;
  /** At least one. */
  readonly products: readonly Product[];
  readonly policies: Policies;
  readonly publish: {
    /** What becomes ready within this time goes into one publication. */
    readonly coalesceMs: number;
    /** Chunks of each publication that are held against another decoder's reading of the source. */
    readonly verify: { readonly chunks: number };
  };
  readonly maintenance: Maintenance;
  /** How others find the products. */
  readonly catalog?: Catalog | undefined;
  /** Who is told of what happens. */
  readonly notify?: readonly NotifyTarget[] | undefined;
  /** How old a granule must be, from its valid time on (or, where its name has none, since it was announced), before it is looked at. */
  readonly holdMs?: number | undefined;
  /** How long an announced granule may be absent, and how often one looks; `forbidden`: whether a 403 says that it is absent. */
  readonly await: { readonly deadlineMs: number; readonly everyMs: number; readonly forbidden?: "await" | undefined };
}

/** A dataset file, read. */
export interface DatasetFile {
  readonly sources: readonly Source[];
  /** In the order of the file; a templated document gives one for each combination. */
  readonly datasets: readonly Dataset[];
}
