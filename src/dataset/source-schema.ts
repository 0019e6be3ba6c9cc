import { z } from "zod";
import { parseSecretReference, SECRET_FORM } from "../secrets/index.ts";
import { DURATION_FORM, DURATION_PATTERN, parseDuration } from "./duration.ts";
import { list, mapping, wholeNumber, written } from "./mapping.ts";
import { FOLDER_FORM, PLACE_FORM, PREFIX_FORM, parseFolder, parsePlace, parsePrefix, schemeOf } from "./source-uri.ts";

/** Schemes of stores and sources that later versions will have. */
const PLANNED_SCHEMES = ["s3", "gs", "az"];

/** What a uri's text is checked for does not depend on the folder that it is relative to. */
const prefix = uriText(PREFIX_FORM, (text) => parsePrefix(text, "/") !== undefined);
export const folder = uriText(FOLDER_FORM, (text) => parseFolder(text, "/") !== undefined);
/** A folder on a disk or in a bucket. */
export const place = uriText(PLACE_FORM, (text) => parsePlace(text, "/") !== undefined);

const interval = written(`${DURATION_FORM}, more than 0`, (text) => (parseDuration(text) ?? 0) > 0, DURATION_PATTERN);
/** Secrets stand in a dataset file by name only. */
export const secret = unshown(
  `a secret by name: ${SECRET_FORM}`,
  (text) => parseSecretReference(text) !== undefined,
  () => "a text that is not shown",
);
const SERVICE_FORM = `https://… or http://… without credentials, or ${SECRET_FORM}`;
export const service = unshown(
  SERVICE_FORM,
  (text) => parseSecretReference(text) !== undefined || isPlainUrl(text, ["https:", "http:"]),
  withoutPassword,
);
const BROKER_FORM = `amqps://host/… or amqp://host/… without credentials, or ${SECRET_FORM}`;
export const broker = unshown(
  BROKER_FORM,
  (text) => parseSecretReference(text) !== undefined || isPlainUrl(text, ["amqps:", "amqp:"]),
  withoutPassword,
);
const webFolder = unshown(
  "https://… or http://… without credentials",
  (text) => isPlainUrl(text, ["https:", "http:"]),
  withoutPassword,
);
export const region = written("a region such as us-east-1", (text) => /^[a-z0-9-]{1,40}$/.test(text));
export const topic = written("a topic: words divided by dots, * for one word, # for any", (text) => /^[^\s]{1,255}$/.test(text));
const pattern = written("a regular expression of at most 500 characters", isPattern);
const flag = z.boolean({ error: "true or false" });

export const s3Schema = mapping({
  endpoint: service.optional().describe("A service that is not AWS."),
  region: region.optional().describe("Default: us-east-1."),
  anonymous: flag
    .optional()
    .describe("Requests are not signed, as public buckets allow. Default: false: the credentials of the environment."),
  pathStyle: flag.optional().describe("The bucket stands in the path. Default: with an endpoint."),
});

export type S3Input = z.infer<typeof s3Schema>;

const MIRROR_FORM = `${PLACE_FORM}, or { at: s3://bucket/…, region, endpoint, anonymous, pathStyle }`;
const mirrorSchema = z.union(
  [
    uriText(MIRROR_FORM, (text) => parsePlace(text, "/") !== undefined),
    s3Schema.extend({
      at: uriText("s3://bucket/…", (text) => /^s3:/i.test(text) && parsePlace(text, "/") !== undefined).describe(
        "Where the copies are.",
      ),
    }),
  ],
  { error: MIRROR_FORM },
);

const sqsSchema = mapping({
  queue: service.describe("The queue's URL."),
  region: region.optional().describe("Default: the one that the URL names."),
  endpoint: service.optional().describe("A service that is not AWS."),
  visibility: interval
    .optional()
    .describe("How long a message is ours before it is given to somebody else; extended while we wait. Default: 60s."),
});

const amqpSchema = mapping({
  broker: broker.describe("Where the broker is."),
  user: secret.optional().describe("Default: anonymous, as public brokers of weather services have it."),
  password: secret.optional(),
  exchange: topic.optional().describe("Default: xpublic."),
  topics: list(topic, "a list of topics").describe("Which messages are asked for."),
  queue: topic
    .optional()
    .describe("Default: q_USER.freshet.SOURCE.ID, as Sarracenia names queues; ID is that of the installation."),
  prefetch: wholeNumber(1, 1000).optional().describe("Messages that are under way at once. Default: 25."),
  accept: list(pattern, "a list of regular expressions").optional().describe("Only uris that one of them matches. Default: all."),
  reject: list(pattern, "a list of regular expressions").optional().describe("No uris that one of them matches."),
});

const listingSchema = mapping({
  every: interval.optional().describe("How often one looks. Default: 15m."),
  below: list(z.string({ error: "a folder" }).max(500), "a list of folders below `at`")
    .optional()
    .describe("Folders below `at` that are looked at; {today:%Y%m%d} stands for the days that `back` says. Default: all of it."),
  back: wholeNumber(0, 366).optional().describe("Days before today that {today:…} stands for too. Default: 1."),
});

const cmrSchema = mapping({
  every: interval.optional().describe("How often one looks. Default: 1h."),
  provider: written("a provider's id such as POCLOUD", (text) => /^[A-Z][A-Z0-9_]{0,40}$/.test(text))
    .optional()
    .describe("Only this provider's collections."),
  back: interval.optional().describe("How far back in revision dates the first look goes. Default: 3d."),
  checksums: flag.optional().describe("Granules are held against the checksums that it tells, and so read whole. Default: true."),
  endpoint: webFolder.optional().describe("Default: https://cmr.earthdata.nasa.gov/."),
});

const earthdataSchema = mapping({
  token: secret.optional().describe(`Default: \${EARTHDATA_TOKEN} where that is set, else the login of netrc.`),
  login: webFolder.optional().describe("Where logins happen. Default: https://urs.earthdata.nasa.gov/."),
  s3: webFolder
    .optional()
    .describe("Where temporary keys of S3 are given: https://…/s3credentials. Default: by the bucket's name."),
});

const CREDENTIALS_FORM = `earthdata, netrc, { earthdata: … } or { bearer: \${NAME} }`;
const credentialsSchema = z
  .union(
    [
      // Whatever else stands there may be a token.
      unshown(CREDENTIALS_FORM, isCredentialsWord, (text) =>
        /^[a-z-]{1,12}$/.test(text) ? JSON.stringify(text) : "a text that is not shown",
      ),
      mapping({ bearer: secret }),
      mapping({ earthdata: earthdataSchema }),
    ],
    { error: CREDENTIALS_FORM },
  )
  .describe("Who we are for the source's servers.");

const limitsSchema = mapping({
  concurrency: wholeNumber(1, 256)
    .optional()
    .describe("Requests to one host that are under way at once, of everything in a process; half as many copies. Default: 24."),
  perSecond: rate().optional().describe("Requests to one host that begin in a second. Default: any number."),
  connect: interval.optional().describe("How long connecting may take. Default: 10s."),
  firstByte: interval.optional().describe("From a request to the beginning of its answer. Default: 30s."),
  stall: interval.optional().describe("Between two pieces of an answer. Default: 30s."),
  read: interval.optional().describe("All of an answer, where a part is read. Default: 5m."),
  whole: interval.optional().describe("All of an answer, where a file is copied; the next one goes on there. Default: 1h."),
});

/** One source, as a dataset file has it. */
export const sourceSchema = mapping(
  {
    at: prefix.describe(
      "Prefix of every uri that the source may announce: https://…, http://…, s3://bucket/…, file:///… or a folder, relative to this file.",
    ),
    allow: list(prefix, "a list of prefixes", 0).optional().describe("Further prefixes that announcements may name."),
    mirror: mirrorSchema
      .optional()
      .describe("Folder or prefix of a bucket for our own copies. References then point there and never change under readers."),
    alternatives: list(prefix, "a list of prefixes", 0)
      .optional()
      .describe("Other servers with the same paths below: asked in this order where `at` does not answer for now."),
    limits: limitsSchema.optional().describe("How much its hosts are asked at once, and how long answers may take."),
    s3: s3Schema.optional().describe("How s3:// is reached."),
    sqs: sqsSchema.optional().describe("A queue that announces its granules."),
    amqp: amqpSchema.optional().describe("A broker that announces its granules."),
    listing: listingSchema.optional().describe("Folders that are looked at again and again."),
    cmr: cmrSchema
      .optional()
      .describe("A Common Metadata Repository (NASA) that is asked again and again for the collections of datasets."),
    credentials: credentialsSchema.optional(),
  },
  ["webhook", "also"],
);

export type SourceInput = z.infer<typeof sourceSchema>;

function rate() {
  const error = "a number, more than 0 and at most 10000";
  return z.number({ error }).positive({ error }).max(10_000, { error });
}

/** A text of which, where it is wrong, only what `found` says is shown: it may be a secret. */
function unshown(allowed: string, isGood: (text: string) => boolean, found: (text: string) => string) {
  return z.string({ error: allowed }).superRefine((text, context) => {
    if (!isGood(text)) context.addIssue({ code: "custom", message: allowed, params: { found: found(text) } });
  });
}

/** Whatever stands before an @ may be a password. */
function withoutPassword(text: string): string {
  return text.includes("@") ? "a uri with an @" : JSON.stringify(text);
}

function isPlainUrl(text: string, protocols: readonly string[]): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(text);
  return protocols.includes(protocol) && hostname !== "" && `${username}${password}${search}${hash}` === "";
}

function isCredentialsWord(text: string): boolean {
  return text === "earthdata" || text === "netrc";
}

function isPattern(text: string): boolean {
  try {
    return text.length <= 500 && new RegExp(text, "u") !== undefined;
  } catch {
    return false;
  }
}

function uriText(allowed: string, isGood: (text: string) => boolean) {
  return z.string({ error: allowed }).superRefine((text, context) => {
    if (isGood(text)) return;
    const scheme = schemeOf(text);
    const isPlanned = scheme !== undefined && PLANNED_SCHEMES.includes(scheme);
    const found = isPlanned ? `${scheme}:// (not available in this version)` : withoutPassword(text);
    context.addIssue({ code: "custom", message: allowed, params: { found } });
  });
}
