import { z } from "zod";
import { FreshetError } from "../errors/index.ts";
import { DURATION_FORM, DURATION_PATTERN, parseDuration } from "./duration.ts";
import type { Form } from "./form.ts";
import { EACH_FORM, isPathTemplate } from "./granule-path.ts";
import { list, mapping, wholeNumber, written } from "./mapping.ts";
import { completeS3 } from "./s3-access.ts";
import { place, type S3Input, s3Schema } from "./source-schema.ts";
import { PREFIX_FORM, parsePlace, parsePrefix } from "./source-uri.ts";

const DEFAULT_EVERY = "1h";
/** As fsspec has it. */
const DEFAULT_RECORDS = 10_000;

const prefix = z.string({ error: PREFIX_FORM }).refine((text) => parsePrefix(text, "/") !== undefined, { error: PREFIX_FORM });
const shared = {
  to: place.describe("Where it is published: a folder of its own, relative to this file, file:///… or s3://bucket/…"),
  s3: s3Schema.optional().describe("How s3:// is reached."),
  every: written(DURATION_FORM, (text) => parseDuration(text) !== undefined, DURATION_PATTERN)
    .optional()
    .describe(`How often it is written at most; 0s: with every version. Default: ${DEFAULT_EVERY}.`),
  map: z
    .record(prefix, prefix, { error: "a mapping from prefixes to prefixes" })
    .optional()
    .describe("Prefixes of the granules' uris and what references say in their place."),
};
const view = written("a view by its group: best, latest, fmrc, offset/6h", (text) =>
  /^[a-z][a-z0-9-]*(\/[A-Za-z0-9-]+)?$/.test(text),
)
  .optional()
  .describe("The one view of a forecast that it shows, at its root. Default: all views, each in its group.");

/** Each item's one key says of which kind the form is. */
const formSchema = mapping({
  "kerchunk-json": mapping({
    ...shared,
    view,
    compress: z.enum(["none", "zstd"], { error: "none, zstd" }).optional().describe("Default: none."),
  })
    .optional()
    .describe("References as one JSON document for each version."),
  "kerchunk-parquet": mapping({
    ...shared,
    view,
    records: wholeNumber(100, 1_000_000).optional().describe(`References to a partition. Default: ${DEFAULT_RECORDS}.`),
  })
    .optional()
    .describe("References as partitions of Parquet, a folder for each version."),
  references: mapping({
    ...shared,
    each: written(EACH_FORM, isPathTemplate).describe("Path of a granule's document, such as {ofs}/{file}.json."),
  })
    .optional()
    .describe("References as one JSON document for each granule."),
}).superRefine((form, context) => {
  const kinds = Object.keys(form);
  if (kinds.length === 1) return;
  const message = "one of kerchunk-json, kerchunk-parquet, references";
  context.addIssue({ code: "custom", message, params: { found: kinds.length === 0 ? "{}" : kinds.join(" and ") } });
});

/** `also` of a product. */
export const formsSchema = list(formSchema, "a list of forms: kerchunk-json, kerchunk-parquet, references");
type FormInput = z.infer<typeof formSchema>;

/** `also` of a product that a checked document declares, where it does; relative folders are relative to `baseFolder`. */
export function completeForms(also: readonly FormInput[] | undefined, baseFolder: string): { readonly also?: readonly Form[] } {
  return also === undefined ? {} : { also: also.map((form) => completeForm(form, baseFolder)) };
}

/** The form that a checked document declares; relative folders are relative to `baseFolder`. */
function completeForm(input: FormInput, baseFolder: string): Form {
  const { "kerchunk-json": json, "kerchunk-parquet": parquet, references } = input;
  if (json !== undefined)
    return { kind: "kerchunk-json", ...sharedOf(json, baseFolder), ...viewOf(json), compress: json.compress ?? "none" };
  if (parquet !== undefined)
    return {
      kind: "kerchunk-parquet",
      ...sharedOf(parquet, baseFolder),
      ...viewOf(parquet),
      records: parquet.records ?? DEFAULT_RECORDS,
    };
  if (references !== undefined) return { kind: "references", ...sharedOf(references, baseFolder), each: references.each };
  throw new FreshetError("corrupt", "a checked form has no kind");
}

function viewOf({ view }: { readonly view?: string | undefined }): { readonly view?: string } {
  return view === undefined ? {} : { view };
}

interface SharedInput {
  readonly to: string;
  readonly s3?: S3Input | undefined;
  readonly every?: string | undefined;
  readonly map?: Readonly<Record<string, string>> | undefined;
}

function sharedOf({ to, s3, every, map = {} }: SharedInput, baseFolder: string): Pick<Form, "to" | "s3" | "everyMs" | "map"> {
  const entries = Object.entries(map).map(([from, into]) => [parsePrefix(from, baseFolder), parsePrefix(into, baseFolder)]);
  return {
    to: (parsePlace(to, baseFolder) as string).replace(/\/$/, ""),
    ...(s3 === undefined ? {} : { s3: completeS3(s3) }),
    everyMs: parseDuration(every ?? DEFAULT_EVERY) as number,
    map: Object.fromEntries(entries),
  };
}
