import { z } from "zod";
import { EVERY_FORM, readCalendar } from "./calendar-spec.ts";
import { catalogSchema } from "./catalog-schema.ts";
import { collectionSchema } from "./collection-schema.ts";
import { DATES } from "./dates.ts";
import { attributesSchema, driftSchema } from "./drift-schema.ts";
import { DURATION_FORM, DURATION_PATTERN, parseDuration } from "./duration.ts";
import { formsSchema } from "./form-schema.ts";
import { INSTANT_FORM, parseInstant } from "./instant.ts";
import { LEADS_FORM, LEADS_PATTERN, NOWCAST_FORM, NOWCAST_PATTERN, parseLeads, parseNowcastValid } from "./leads.ts";
import { list, mapping, wholeNumber, written } from "./mapping.ts";
import { fieldsInTemplate, fillMessageTemplate } from "./message-fields.ts";
import { compileGrammar } from "./name-grammar.ts";
import { NameGrammarError } from "./name-token.ts";
import { notifySchema } from "./notify-schema.ts";
import { folder, type SourceInput, sourceSchema } from "./source-schema.ts";
import { stagesSchema } from "./stages.ts";

const NAME_PATTERN = "^[a-z0-9][a-z0-9._-]{0,63}$";
const NAME_FORM =
  "a name of at most 64 lower-case letters, digits, dots, hyphens and underscores, beginning with a letter or digit";
/** What editors check: a template's name is no name yet. */
const NAME_OR_TEMPLATE_PATTERN = "^[a-z0-9{][A-Za-z0-9._{}-]*$";
const TEMPLATE_FORM = "values of letters, digits, dots, hyphens and underscores";
const name = written(NAME_FORM, (text) => new RegExp(NAME_PATTERN).test(text), NAME_OR_TEMPLATE_PATTERN);
const duration = written(DURATION_FORM, (text) => parseDuration(text) !== undefined, DURATION_PATTERN);
const interval = written(`${DURATION_FORM}, more than 0`, (text) => (parseDuration(text) ?? 0) > 0, DURATION_PATTERN);
const variable = written("a variable's name or /group/name", (text) => /^\/?[^\s/]+(\/[^\s/]+)*$/.test(text));
const plainVariable = written("a variable's name", (text) => /^[^\s/]+$/.test(text));

const axisPath = written("a variable's name, or its path such as Grid/time", (text) => /^\/?[^\s/]+(\/[^\s/]+){0,8}$/.test(text));

const grammar = z.string({ error: "a name grammar such as {valid:%Y%m%d}.nc" }).superRefine((text, context) => {
  try {
    compileGrammar(text);
  } catch (error) {
    if (!(error instanceof NameGrammarError)) throw error;
    context.addIssue({ code: "custom", message: error.allowed, params: { found: error.found } });
  }
});

const calendarSchema = mapping({
  every: z.string({ error: EVERY_FORM }).describe("The step: 15m, 1h, 6h, 1d, 1mo, 1y."),
  at: z
    .string({ error: "a UTC time of day such as 09:00Z" })
    .optional()
    .describe("The phase: a UTC time of day, or any one instant of the calendar. Default 00:00Z."),
  from: z.string({ error: INSTANT_FORM }).optional().describe("No position before it (inclusive)."),
  to: z.string({ error: INSTANT_FORM }).optional().describe("No position after it (inclusive; a date stands for its whole day)."),
  dates: z
    .enum(DATES, { error: DATES.join(", ") })
    .optional()
    .describe(
      "The calendar that the granules' dates are of, as their files say; positions are counted in it. Default: standard.",
    ),
}).superRefine((spec, context) => {
  const reading = readCalendar(spec);
  if (!reading.ok) {
    const found = spec[reading.key];
    context.addIssue({ code: "custom", path: [reading.key], message: reading.allowed, params: { found: JSON.stringify(found) } });
  }
});

/** @param counted what the newest are counted of. */
function keepSchema<const Counted extends "runs" | "granules">(counted: Counted) {
  const shape = {
    for: interval.optional().describe("All that is younger than this."),
    front: z
      .enum(["cut", "keep"], { error: "cut or keep" })
      .optional()
      .describe("Whether positions before what stays leave now and then, or are left as gaps. Default: cut."),
  };
  const newest = wholeNumber(1, 1_000_000).optional().describe(`The newest so many ${counted}.`);
  const isSaid = (keep: Readonly<Record<string, unknown>>): boolean => keep[counted] !== undefined || keep.for !== undefined;
  return mapping({ [counted]: newest, ...shape } as Record<Counted, typeof newest> & typeof shape)
    .refine(isSaid, { error: `${counted}, for, or both` })
    .optional()
    .describe("What stays; the rest expires when the stores are tidied. Default: everything stays.");
}

const fileCalendarSchema = z
  .enum(["as-labelled", "as-standard"], { error: "as-labelled, as-standard" })
  .optional()
  .describe(
    "as-standard: whatever calendar the files name, their times count in the standard one. Default: as-labelled, dates are those of the calendar that they name.",
  );

const timeseriesSchema = mapping(
  {
    name: name.optional().describe("Unique in the dataset. Default: timeseries."),
    axis: axisPath.optional().describe("The coordinate variable of the axis; in a group its path: Grid/time. Default: time."),
    dimension: plainVariable
      .optional()
      .describe("The dimension along which granules are joined; made where a file has a scalar time. Default: the axis."),
    "calendar-of-file": fileCalendarSchema,
    calendar: calendarSchema.describe("Which instants have a place on the axis."),
    keep: keepSchema("granules"),
    store: folder.describe("Where the product is kept: a folder, relative to this file, or file:///…"),
    split: wholeNumber(1, 1_000_000).optional().describe("Positions for each manifest of the store. Default: 1000."),
    also: formsSchema.optional().describe("Forms that are published beside the store."),
  },
  ["codec", "chunks"],
);

const VIEWS_FORM = "best, whole, latest, fmrc, run, offset: 6h, valid: 24h or valid: 2024-09-01T12:00Z";
const VALID_FORM = `how far from the newest run, such as 24h, or ${INSTANT_FORM}, or a list of these`;
const validTime = written(VALID_FORM, (text) => (parseDuration(text) ?? 0) > 0 || parseInstant(text) !== undefined);
const view = z.union(
  [
    z.enum(["best", "whole", "latest", "fmrc", "run"]),
    mapping({
      offset: z.union([duration, list(duration, "a list of leads")], { error: "a lead such as 6h, or a list of them" }),
    }),
    mapping({ valid: z.union([validTime, list(validTime, VALID_FORM)], { error: VALID_FORM }) }),
  ],
  { error: VIEWS_FORM },
);

const forecastSchema = mapping(
  {
    name: name.optional().describe("Unique in the dataset. Default: forecast."),
    axis: axisPath.optional().describe("The coordinate variable of valid time; in a group its path: Grid/time. Default: time."),
    dimension: plainVariable
      .optional()
      .describe("The dimension of valid time; made where a file has a scalar time. Default: the axis."),
    "calendar-of-file": fileCalendarSchema,
    views: list(view, `a list of ${VIEWS_FORM}`)
      .optional()
      .describe("Ways to look at the runs, each a group of the store. Default: best, latest, fmrc."),
    keep: keepSchema("runs"),
    intervals: z
      .enum(["same", "mixed"], { error: "same, mixed" })
      .optional()
      .describe(
        "Whether accumulations and means of other intervals may stand side by side in `best` and `whole`. Default: same.",
      ),
    least: duration.optional().describe("In `best` and `whole`, forecasts with a shorter lead are passed over. Default: 0h."),
    store: folder.describe("Where the product is kept: a folder, relative to this file, or file:///…"),
    split: wholeNumber(1, 1_000_000).optional().describe("Positions for each manifest of the store. Default: 1000."),
    also: formsSchema.optional().describe("Forms that are published beside the store."),
  },
  ["codec", "chunks"],
);

/** Its one key says of which kind the product is. */
const productSchema = mapping(
  {
    timeseries: timeseriesSchema.optional().describe("A series of granules along one axis of time."),
    forecast: forecastSchema.optional().describe("The runs of a model, and views of them."),
    collection: collectionSchema.optional().describe("Granules as one dataset, without a calendar."),
  },
  ["references", "rolling", "extract"],
).superRefine((product, context) => {
  const kinds = Object.keys(product);
  // What is wrong with a key has been said.
  if (kinds.length === 1 || context.issues.length > 0) return;
  const found = kinds.length === 0 ? "none" : kinds.join(" and ");
  context.addIssue({ code: "custom", message: "one of timeseries, forecast, collection", params: { found } });
});

const leads = written(LEADS_FORM, (text) => parseLeads([text]) !== undefined, LEADS_PATTERN);
const leadsOfRun = z
  .union([leads, list(leads, LEADS_FORM)], { error: LEADS_FORM })
  .refine((texts) => parseLeads([texts].flat()) !== undefined, { error: LEADS_FORM });

const runsSchema = mapping({
  every: z.string({ error: EVERY_FORM }).describe("The step between runs: 6h, 1d."),
  at: z.string({ error: "a UTC time of day such as 06:00Z" }).optional().describe("The phase, as in a calendar. Default 00:00Z."),
  leads: leadsOfRun.describe("Which leads a run has: 0h..48h/1h, or a list of such texts where the step changes."),
  nowcast: mapping({
    kind: z.string({ error: "a value of the name's field kind" }).describe("The value of the name's field `kind` in nowcasts."),
    valid: written(NOWCAST_FORM, (text) => parseNowcastValid(text) !== undefined, NOWCAST_PATTERN)
      .optional()
      .describe("When they are valid: run-6h+lead. Default: run+lead."),
    leads: leadsOfRun.describe("Which leads they have, as in their names."),
  })
    .optional()
    .describe("Files of a run that look back on the hours before it."),
  deadline: interval.optional().describe("How long after its forecast reference time a run should be whole."),
  publish: z
    .enum(["as-they-come", "when-complete"], { error: "as-they-come or when-complete" })
    .optional()
    .describe("when-complete: nothing of a run is published before it is whole or its deadline is over. Default: as-they-come."),
}).superRefine(({ every, at, deadline, publish }, context) => {
  if (publish === "when-complete" && deadline === undefined) {
    const message = "as-they-come, or when-complete with a deadline";
    context.addIssue({ code: "custom", path: ["publish"], message });
  }
  const reading = readCalendar({ every, at });
  if (!reading.ok) context.addIssue({ code: "custom", path: [reading.key], message: reading.allowed });
});

function policy<const Value extends string>(values: readonly [Value, ...Value[]], description: string) {
  return z
    .enum(values, { error: values.join(", ") })
    .optional()
    .describe(`${description} Default: ${values[0]}.`);
}

const policiesSchema = mapping({
  late: policy(["insert"], "A granule that comes after its successors."),
  replaced: policy(["replace"], "A newer revision of a published granule."),
  duplicate: policy(["newest"], "Several revisions for one position."),
  missing: policy(["gap", "omit"], "Positions that no granule fills."),
  drift: driftSchema,
  withdrawn: policy(["drop", "keep"], "A granule that its source has taken back."),
});

const verifySchema = mapping({
  chunks: wholeNumber(1, 1000)
    .optional()
    .describe("Chunks of each publication that are held against another decoder's reading of the source. Default: 8."),
});

const maintenanceSchema = mapping({
  sweep: interval.optional().describe("How often the sources of what is published are looked at. Default: 6h."),
  upkeep: interval.optional().describe("How often the stores are tidied. Default: 1d."),
  grace: interval.optional().describe("What is younger is never removed from a store. Default: 1d."),
  keep: mapping({
    versions: wholeNumber(1, 1_000_000).optional().describe("The newest so many. Default: 1."),
    for: duration.optional().describe("All that are younger. Default: 0s."),
  })
    .optional()
    .describe("Versions that stay readable. Default: all."),
  reconcile: mapping({
    every: interval.describe("How often."),
    act: z
      .boolean({ error: "true or false" })
      .optional()
      .describe("Do something about what differs. Default: false, only report."),
  })
    .optional()
    .describe("Source, ledger and stores are compared. Default: only when asked for (freshet reconcile)."),
});

export const MATCH_FORM = "a name grammar such as {valid:%Y%m%d}.nc, or a list of them";

const messageTemplate = written(
  "a text with fields of the message in braces, such as {forecast_reference_time}",
  (text) => text.length <= 500 && fieldsInTemplate(text).length > 0 && !/[{}]/.test(fillMessageTemplate(text, () => "")),
);
const fieldName = z.string().regex(/^[a-z][a-z0-9_]{0,39}$/, { error: "names of lower-case letters, digits and _" });
const selected = z.union([z.string(), z.number()], { error: "a text or a number" });

/** What a dataset expects of its source's messages, and that they come. */
const messageShape = {
  quiet: interval.optional().describe("An alarm, when nothing new came for so long. Default: none."),
  unseen: wholeNumber(1, 1_000)
    .optional()
    .describe("An alarm, when no granule of one of the patterns came for so many steps of the calendar. Default: none."),
  message: z
    .record(fieldName, messageTemplate, { error: "a mapping with uri, and a template for each field of a granule" })
    .refine((fields) => fields.uri !== undefined && Object.keys(fields).length > 1, {
      error: "uri, and a template for at least one field of a granule (run, lead, valid, …)",
    })
    .optional()
    .describe(
      "How messages that are nothing but fields say where a granule is, and which: templates with {fields} of the message.",
    ),
  select: z
    .record(z.string(), z.union([selected, list(selected, "a list of texts")], { error: "a text, or a list of texts" }), {
      error: "a mapping from fields of the message to values",
    })
    .optional()
    .describe("Only messages whose fields have these values. With message."),
};

const datasetShape = {
  name: name.describe("Unique among all datasets of an installation."),
  from: mapping({
    source: z.string({ error: "the name of a source" }),
    ...messageShape,
    collection: written("a collection's short name or concept id", (text) => /^[A-Za-z0-9][^\s*?]{0,99}$/.test(text))
      .optional()
      .describe("The collection that the source's CMR is asked for: its short name, or its concept id."),
    granules: list(
      written("a pattern such as *PIC*", (text) => /^[^\s/]{1,100}$/.test(text)),
      "a list of patterns such as *PIC*",
    )
      .optional()
      .describe("Only granules of the collection whose names fit one of these patterns. Default: all."),
  }).describe("Where its granules come from."),
  match: z
    .union([grammar, list(grammar, "a list of name grammars")], { error: MATCH_FORM })
    .optional()
    .describe("How granules are named; of several grammars the first that matches counts. Needed unless from.message says it."),
  runs: runsSchema.optional().describe("Where granules are parts of model runs: when these are, and what they have."),
  scan: mapping(
    {
      drop: list(variable, "a list of variables", 0)
        .optional()
        .describe("Variables that are left out; the path of a group leaves out all that is in it."),
      load: list(variable, "a list of variables")
        .optional()
        .describe("Variables whose values are read, beside coordinates: what is the same in every granule is compared by them."),
      unreferenceable: z
        .enum(["inline", "native"], { error: "inline, native" })
        .optional()
        .describe(
          "Chunks that no reader decodes where they are: small ones are decoded and kept in the store, or all up to 64 MiB a granule.",
        ),
    },
    [],
  )
    .optional()
    .describe("What is made of a granule's variables."),
  attributes: attributesSchema,
  products: list(productSchema, "a list of at least one product: timeseries, forecast, collection").describe(
    "What readers open.",
  ),
  policies: policiesSchema.optional().describe("What is done where the world does not go by the plan."),
  publish: mapping({
    coalesce: duration.optional().describe("What becomes ready within this time is published together. Default: 1s."),
    verify: verifySchema.optional().describe("How versions are looked at before they are published."),
  })
    .optional()
    .describe("When versions are made."),
  maintenance: maintenanceSchema.optional().describe("What is done when nothing arrives."),
  catalog: catalogSchema.optional().describe("How others find the products: STAC, xreds."),
  notify: list(notifySchema, "a list of { when, and one of webhook, sns, sqs, amqp, github }")
    .optional()
    .describe("Who is told of what happens."),
  hold: interval
    .optional()
    .describe(
      "How old a granule must be, from its valid time on, before it is looked at: until then its source may yet correct it.",
    ),
  await: mapping({
    deadline: duration.optional().describe("How long an announced granule may be absent. Default: 1h."),
    every: interval.optional().describe("How often one looks. Default: 30s."),
    forbidden: z
      .enum(["refuse", "await"], { error: "refuse, await" })
      .optional()
      .describe("A source that says forbidden (403) of what is not there yet: await. Default: refuse."),
  })
    .optional()
    .describe("Granules that are announced before they are there."),
};

const templateValue = z
  .union([z.string(), z.number()], { error: TEMPLATE_FORM })
  .refine((value) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(String(value)), {
    error: TEMPLATE_FORM,
  });

/** `with`: names of template fields and the values that they take. */
export const withSchema = z
  .record(
    z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/, { error: "names of letters, digits and _" }),
    list(templateValue, "a list of at least one value"),
    { error: "a mapping from names to lists of values" },
  )
  .describe("Makes one dataset for each combination of values; {name} stands for the value in every text of the document.");

export const sourcesSchema = z
  .record(z.string().regex(new RegExp(NAME_PATTERN), { error: NAME_FORM }), sourceSchema, {
    error: "a mapping from names to sources",
  })
  .describe("Where announcements and bytes come from; for all datasets of the file.");

/** A dataset document, filled in, without its `sources`. */
export const datasetSchema = mapping(datasetShape, [], ["sources", "with"]);

const stages = stagesSchema.optional();

/** One document as editors see it. */
export const documentSchema = z.union([
  z.strictObject({ sources: sourcesSchema.optional(), with: withSchema.optional(), stages, ...datasetShape }),
  z.strictObject({ sources: sourcesSchema, stages }),
]);

export type { SourceInput };
export type TimeseriesInput = z.infer<typeof timeseriesSchema>;
export type ForecastInput = z.infer<typeof forecastSchema>;
export type RunsInput = z.infer<typeof runsSchema>;
export type DatasetInput = z.infer<typeof datasetSchema>;
