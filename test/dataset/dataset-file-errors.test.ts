import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DatasetFileError } from "../../src/dataset/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import { SECRET_FORM } from "../../src/secrets/index.ts";
import { aDatasetFile, LINE, parse } from "./dataset-files.ts";

/** The problems of a text, as lines without the file's name. */
function problemsOf(text: string): string[] {
  try {
    parse(text);
  } catch (error) {
    assert.ok(error instanceof DatasetFileError, String(error));
    assert.ok(isFreshetError(error, "dataset-file"));
    const lines = error.message.split("\n");
    assert.equal(lines.length, error.problems.length);
    return lines.map((line) => line.replace(/^\/data\/sets\/test\.yaml:/, ""));
  }
  return [];
}

const SOURCE_KEYS = "at, allow, mirror, alternatives, limits, s3, sqs, amqp, listing, cmr, credentials";
const PREFIX = "https://…, http://…, s3://bucket/…, file:///… or a path, without credentials, query or fragment";
const FOLDER = "a path or file:///…";
const MIRROR = "a path, file:///… or s3://bucket/…, or { at: s3://bucket/…, region, endpoint, anonymous, pathStyle }";
const DURATION = "a whole number with a unit: 500ms, 30s, 15m, 6h, 10d";
const NAME = "a name of at most 64 lower-case letters, digits, dots, hyphens and underscores, beginning with a letter or digit";
const FORMS = "{name}, {name:int}, {name:3} (digits), {lead:3h} (a duration in s, m, h or d), {kind:n|f}, {valid:%Y%m%d%H%M%S}";
const DATASET_KEYS =
  "sources, with, name, from, match, runs, scan, attributes, products, policies, publish, maintenance, catalog, notify, hold, await";
const TIMESERIES_KEYS = "name, axis, dimension, calendar-of-file, calendar, keep, store, split, also";

describe("a dataset file with one thing wrong gets one line", () => {
  const source = (text: string) => aDatasetFile({ source: text });
  const timeseries = (text: string) => aDatasetFile({ timeseries: text });
  const more = (text: string) => aDatasetFile({ more: text });
  const forecast = ({
    runs = "runs: { every: 6h, leads: 0h..6h/1h }",
    match = '"{run:%Y%m%d}.{lead:3h}.nc"',
    product = "forecast: { store: a }",
  }) => aDatasetFile({ match, product, more: runs });
  const cases: readonly [what: string, text: string, problem: string][] = [
    ["a text", "hello", `1: found "hello", allowed a mapping with sources or a dataset`],
    ["a list", "- a", "1: found a list, allowed a mapping with sources or a dataset"],
    ["nothing", "# nothing\n", "1: found nothing, allowed a dataset document"],
    [
      "broken YAML",
      "a: 1\nb: [",
      "2: found broken YAML (Flow sequence in block collection must be sufficiently indented and end with a ]), allowed YAML 1.2",
    ],
    ["a key twice", "sources: {}\nsources: {}", "2: found broken YAML (Map keys must be unique), allowed YAML 1.2"],
    ["an unknown tag", "name: !secret x", "1: found broken YAML (Unresolved tag: !secret), allowed YAML 1.2"],
    ["too much", `# ${"x".repeat(1024 * 1024)}`, "1: found a file of more than 1 MiB, allowed YAML 1.2"],

    ["sources that are a list", "sources: []", "1: sources: found an empty list, allowed a mapping from names to sources"],
    ["a source without a place", source("mirror: m"), `${LINE.source}: sources.agency.at: found nothing, allowed ${PREFIX}`],
    [
      "a planned scheme",
      source("at: gs://bucket/x"),
      `${LINE.source}: sources.agency.at: found gs:// (not available in this version), allowed ${PREFIX}`,
    ],
    ["another scheme", source("at: ftp://host/"), `${LINE.source}: sources.agency.at: found "ftp://host/", allowed ${PREFIX}`],
    [
      "a password",
      source("at: https://me:secret@host/"),
      `${LINE.source}: sources.agency.at: found a uri with an @, allowed ${PREFIX}`,
    ],
    [
      "a query",
      source("at: https://host/?a=b"),
      `${LINE.source}: sources.agency.at: found "https://host/?a=b", allowed ${PREFIX}`,
    ],
    ["a home folder", source("at: ~/data"), `${LINE.source}: sources.agency.at: found "~/data", allowed ${PREFIX}`],
    [
      "a planned source",
      source("at: x, also: y"),
      `${LINE.source}: sources.agency.also: found a key that is not available in this version, allowed ${SOURCE_KEYS}`,
    ],
    [
      "a queue that is no mapping",
      source("at: x, sqs: y"),
      `${LINE.source}: sources.agency.sqs: found "y", allowed a mapping with queue, region, endpoint, visibility`,
    ],
    [
      "a queue's url with a password",
      source("at: x, sqs: { queue: 'https://me:secret@host/' }"),
      `${LINE.source}: sources.agency.sqs.queue: found a uri with an @, allowed https://… or http://… without credentials, or ${SECRET_FORM}`,
    ],
    [
      "a password that is written out",
      source("at: x, amqp: { broker: 'amqps://host/', topics: ['#'], password: secret }"),
      `${LINE.source}: sources.agency.amqp.password: found a text that is not shown, allowed a secret by name: ${SECRET_FORM}`,
    ],
    [
      "a pattern that is none",
      source("at: x, amqp: { broker: 'amqps://host/', topics: ['#'], accept: ['('] }"),
      `${LINE.source}: sources.agency.amqp.accept[0]: found "(", allowed a regular expression of at most 500 characters`,
    ],
    [
      "a slip",
      source("at: x, miror: y"),
      `${LINE.source}: sources.agency.miror: found an unknown key (did you mean mirror?), allowed ${SOURCE_KEYS}`,
    ],
    [
      "a mirror on the web",
      source("at: x, mirror: https://host/"),
      `${LINE.source}: sources.agency.mirror: found "https://host/", allowed ${MIRROR}`,
    ],
    [
      "a webhook of a source's own",
      source("at: x, webhook: true"),
      `${LINE.source}: sources.agency.webhook: found a key that is not available in this version, allowed ${SOURCE_KEYS}`,
    ],
    [
      "a secret in a uri",
      source(`at: "https://\${USER}.host/"`),
      `${LINE.source}: sources.agency.at: found the secret \${USER}, allowed no secret: only keys of a source's s3, mirror, sqs, amqp and credentials, and of notify, take one`,
    ],
    ["a source's bad name", "sources: { A B: { at: x } }", `1: sources.A B: found "A B", allowed ${NAME}`],
    [
      "a source twice",
      "sources: { a: { at: x } }\n---\nsources:\n  a: { at: y }",
      "4: sources.a: found a second source of this name, allowed each name once",
    ],

    ["no name", aDatasetFile({ name: "" }), `${LINE.name}: name: found nothing, allowed ${NAME}`],
    ["a bad name", aDatasetFile({ name: "Ost/ia" }), `${LINE.name}: name: found "Ost/ia", allowed ${NAME}`],
    ["an unknown key", more("foo: 1"), `${LINE.more}: foo: found an unknown key, allowed ${DATASET_KEYS}`],
    [
      "nobody in a list",
      more("notify: []"),
      `${LINE.more}: notify: found an empty list, allowed a list of { when, and one of webhook, sns, sqs, amqp, github }`,
    ],
    [
      "an unknown source",
      aDatasetFile({ from: "{ source: agnecy }" }),
      `${LINE.from}: from.source: found "agnecy", allowed agency`,
    ],
    [
      "a choice of messages without what they say",
      aDatasetFile({ from: "{ source: agency, select: { name: x } }" }),
      `${LINE.from}: from.select: found select without message, allowed both, or neither`,
    ],
    [
      "a message's uri that the source may not name",
      aDatasetFile({ from: '{ source: agency, message: { uri: "s3://elsewhere/{key}", valid: "{time}" } }' }),
      `${LINE.from}: from.message.uri: found "s3://elsewhere/{key}", allowed a uri below https://agency.example/data/`,
    ],
    [
      "a message without a granule's fields",
      aDatasetFile({ from: '{ source: agency, message: { uri: "https://{host}/{key}" } }' }),
      `${LINE.from}: from.message: found a mapping, allowed uri, and a template for at least one field of a granule (run, lead, valid, …)`,
    ],
    [
      "a message that says other fields than names do",
      aDatasetFile({ from: '{ source: agency, message: { uri: "https://{host}/{key}", run: "{time}" } }' }),
      `${LINE.match}: match: found the fields valid, allowed those of from.message: run`,
    ],
    [
      "no grammar",
      aDatasetFile({ match: "" }),
      `${LINE.match}: match: found nothing, allowed a name grammar such as {valid:%Y%m%d}.nc, or a list of them`,
    ],
    [
      "no grammar in the list",
      aDatasetFile({ match: "[]" }),
      `${LINE.match}: match: found an empty list, allowed a list of name grammars`,
    ],
    [
      "a bad grammar",
      aDatasetFile({ match: '"{valid:%Y%m%d"' }),
      `${LINE.match}: match: found {valid:%Y%m%d without its }, allowed ${FORMS}`,
    ],
    [
      "a bad grammar in a list",
      aDatasetFile({ match: '\n  - "{x}.nc"\n  - "{x:y}.nc"' }),
      `8: match[1]: found {x:y}, allowed ${FORMS}`,
    ],
    [
      "grammars that disagree",
      aDatasetFile({ match: '["{x:3}.nc", "{x}.grb"]' }),
      `${LINE.match}: match: found {x} as integer in one grammar and as text in another, allowed one kind for each field`,
    ],
    [
      "no products",
      aDatasetFile({ product: "" }),
      `${LINE.product}: products[0]: found nothing, allowed a mapping with timeseries, forecast, collection`,
    ],
    [
      "a planned product",
      aDatasetFile({ product: "rolling: {}" }),
      `${LINE.product}: products[0].rolling: found a key that is not available in this version, allowed timeseries, forecast, collection`,
    ],
    [
      "a slip in the product",
      aDatasetFile({ product: "timeserie: {}" }),
      `${LINE.product}: products[0].timeserie: found an unknown key (did you mean timeseries?), allowed timeseries, forecast, collection`,
    ],
    [
      "an unknown key of a product",
      timeseries("{ calendar: { every: 1d }, store: s, spilt: 3 }"),
      `${LINE.product}: products[0].timeseries.spilt: found an unknown key (did you mean split?), allowed ${TIMESERIES_KEYS}`,
    ],
    [
      "no store",
      timeseries("{ calendar: { every: 1d } }"),
      `${LINE.product}: products[0].timeseries.store: found nothing, allowed ${FOLDER}`,
    ],
    [
      "a store on the web",
      timeseries("{ calendar: { every: 1d }, store: https://host/x }"),
      `${LINE.product}: products[0].timeseries.store: found "https://host/x", allowed ${FOLDER}`,
    ],
    [
      "a store in S3",
      timeseries("{ calendar: { every: 1d }, store: s3://b/x }"),
      `${LINE.product}: products[0].timeseries.store: found s3:// (not available in this version), allowed ${FOLDER}`,
    ],
    [
      "no step",
      timeseries("{ calendar: {}, store: s }"),
      `${LINE.product}: products[0].timeseries.calendar.every: found nothing, allowed a step of time: 15m, 6h, 1d, 1mo, 1y`,
    ],
    [
      "a bad step",
      timeseries("{ calendar: { every: daily }, store: s }"),
      `${LINE.product}: products[0].timeseries.calendar.every: found "daily", allowed a step of time: 15m, 6h, 1d, 1mo, 1y`,
    ],
    [
      "a local time",
      timeseries('{ calendar: { every: 1d, at: "12:00" }, store: s }'),
      `${LINE.product}: products[0].timeseries.calendar.at: found "12:00", allowed a UTC time of day such as 09:00Z, or one instant of the calendar such as 2017-06-05T12:00Z`,
    ],
    [
      "a bad split",
      timeseries("{ calendar: { every: 1d }, store: s, split: 0.5 }"),
      `${LINE.product}: products[0].timeseries.split: found 0.5, allowed a whole number from 1 to 1000000`,
    ],
    ["a policy of later", more("policies: { late: refuse }"), `${LINE.more}: policies.late: found "refuse", allowed insert`],
    ["a bad policy", more("policies:\n  missing: hole"), `${LINE.more + 1}: policies.missing: found "hole", allowed gap, omit`],
    ["a bare number", more("publish: { coalesce: 30 }"), `${LINE.more}: publish.coalesce: found 30, allowed ${DURATION}`],
    [
      "a check of no chunk",
      more("publish: { verify: { chunks: 0 } }"),
      `${LINE.more}: publish.verify.chunks: found 0, allowed a whole number from 1 to 1000`,
    ],
    ["a bad deadline", more("await: { deadline: 1 week }"), `${LINE.more}: await.deadline: found "1 week", allowed ${DURATION}`],
    ["no interval", more("await: { every: 0s }"), `${LINE.more}: await.every: found "0s", allowed ${DURATION}, more than 0`],
    [
      "a collection of a source that has no CMR",
      aDatasetFile({ from: "{ source: agency, collection: x }" }),
      `${LINE.from}: from.collection: found a collection, of a source without cmr, allowed cmr in the source agency`,
    ],
    [
      "no collection for CMR",
      source("at: x, cmr: { every: 1h }"),
      `${LINE.from}: from.collection: found nothing, allowed the collection that the source's cmr is asked for`,
    ],
    [
      "credentials that no reader of the store can send",
      source("at: 'https://x.example/', credentials: earthdata"),
      `${LINE.from}: from.source: found a source that wants credentials by HTTP, without mirror (agency), allowed mirror in the source: readers of a store cannot send them`,
    ],
    [
      "a token in the file",
      source("at: x, credentials: eyJhbGciOi.e30.x"),
      `${LINE.source}: sources.agency.credentials: found a text that is not shown, allowed earthdata, netrc, { earthdata: … } or { bearer: \${NAME} }`,
    ],
    [
      "a bearer token in the file",
      source("at: x, credentials: { bearer: secret }"),
      `${LINE.source}: sources.agency.credentials.bearer: found a text that is not shown, allowed a secret by name: ${SECRET_FORM}`,
    ],
    [
      "a bad variable",
      more("scan: { drop: ['a b'] }"),
      `${LINE.more}: scan.drop[0]: found "a b", allowed a variable's name or /group/name`,
    ],
    ["one variable to load", more("scan: { load: lat }"), `${LINE.more}: scan.load: found "lat", allowed a list of variables`],
    [
      "two kinds of product in one",
      aDatasetFile({ product: "{ timeseries: { calendar: { every: 1d }, store: a }, forecast: { store: b } }" }),
      `${LINE.product}: products[0]: found timeseries and forecast, allowed one of timeseries, forecast, collection`,
    ],
    [
      "a run that is waited for without end",
      forecast({ runs: "runs: { every: 6h, leads: 0h..6h/1h, publish: when-complete }" }),
      `${LINE.more}: runs.publish: found "when-complete", allowed as-they-come, or when-complete with a deadline`,
    ],
    [
      "another way to publish runs",
      forecast({ runs: "runs: { every: 6h, leads: 0h..6h/1h, publish: hourly, deadline: 4h }" }),
      `${LINE.more}: runs.publish: found "hourly", allowed as-they-come or when-complete`,
    ],
    [
      "a forecast without runs",
      forecast({ runs: "" }),
      `${LINE.product}: products[0].forecast: found a forecast without runs, allowed the dataset's runs: { every: 6h, leads: 0h..48h/1h }`,
    ],
    [
      "a forecast whose names do not say the run",
      forecast({ match: '"{day:%Y%m%d}.nc"' }),
      `${LINE.match}: match: found {day:%Y%m%d}.nc, which does not say the run, allowed a field {run}, or {valid}`,
    ],
    [
      "nowcasts whose names do not say so",
      forecast({ runs: "runs: { every: 6h, leads: 0h..6h/1h, nowcast: { kind: n, leads: 1h } }" }),
      `${LINE.match}: match: found {run:%Y%m%d}.{lead:3h}.nc, which does not say the kind, allowed a field {kind}`,
    ],
    [
      "an offset that no run has",
      forecast({ product: "forecast: { views: [best, { offset: 7h }], store: a }" }),
      `${LINE.product}: products[0].forecast.views: found offset 7h, allowed one of the run's leads`,
    ],
    [
      "a view that does not exist",
      forecast({ product: "forecast: { views: [worst], store: a }" }),
      `${LINE.product}: products[0].forecast.views[0]: found "worst", allowed best, whole, latest, fmrc, run, offset: 6h, valid: 24h or valid: 2024-09-01T12:00Z`,
    ],
    [
      "leads that go back",
      forecast({ runs: "runs: { every: 6h, leads: [0h..6h/1h, 3h] }" }),
      `${LINE.more}: runs.leads: found a list, allowed leads such as 0h..48h/1h or 6h, or a list of these, each after the one before`,
    ],
    [
      "runs of no cycle",
      forecast({ runs: "runs: { every: 7h, leads: 0h..6h/1h }" }),
      `${LINE.more}: runs.at: found nothing, allowed one instant of the calendar such as 2017-06-05T12:00Z`,
    ],
    [
      "nobody to be told",
      more("notify: [ { when: published } ]"),
      `${LINE.more}: notify[0]: found none, allowed one of webhook, sns, sqs, amqp, github`,
    ],
    [
      "two to be told at once",
      more("notify: [ { when: published, webhook: { url: https://a.example/ }, sqs: { queue: https://b.example/q } } ]"),
      `${LINE.more}: notify[0]: found webhook and sqs, allowed one of webhook, sns, sqs, amqp, github`,
    ],
    [
      "something that nobody is told of",
      more("notify: [ { when: rain, webhook: { url: https://a.example/ } } ]"),
      `${LINE.more}: notify[0].when: found "rain", allowed published, quarantined, overdue, publish-failed, quiet`,
    ],
    [
      "a token that is written out",
      more("notify: [ { when: published, webhook: { url: https://a.example/, token: abc } } ]"),
      `${LINE.more}: notify[0].webhook.token: found a text that is not shown, allowed a secret by name: ${SECRET_FORM}`,
    ],
    ["a hold of nothing", more("hold: 0d"), `${LINE.more}: hold: found "0d", allowed ${DURATION}, more than 0`],
    [
      "two datasets with one store",
      `${aDatasetFile()}---\nname: other\nfrom: { source: agency }\nmatch: "{valid:%Y%m%d}.nc"\nproducts:\n  - timeseries: { calendar: { every: 1d }, store: /data/stores/ostia/ }`,
      "14: products[0].timeseries.store: found for other/timeseries the store of ostia/timeseries, allowed a store of its own for each product",
    ],
    [
      "the axis dropped",
      more("scan: { drop: [time] }"),
      `${LINE.more}: scan.drop: found "time", an axis, allowed variables that no product needs`,
    ],

    ["a bad template", more("with: { x: a }"), `${LINE.more}: with.x: found "a", allowed a list of at least one value`],
    [
      "a bad value of a template",
      more("with: { x: [a/b] }"),
      `${LINE.more}: with.x[0]: found "a/b", allowed values of letters, digits, dots, hyphens and underscores`,
    ],
    [
      "a template that is too large",
      more(`with: { x: [${Array.from({ length: 40 }, (_, i) => i)}], y: [${Array.from({ length: 40 }, (_, i) => i)}] }`),
      `${LINE.more}: with: found 1600 combinations, allowed at most 1000`,
    ],
    [
      "a template without its field in the name",
      aDatasetFile({ timeseries: '{ calendar: { every: 1d }, store: "{x}" }', more: "with: { x: [a, b] }" }),
      `${LINE.name}: name: found a second dataset named ostia, allowed each name once; a template needs its {field} in the name`,
    ],
    [
      "one wrong line in a template",
      aDatasetFile({
        name: '"{x}"',
        timeseries: '{ calendar: { every: 1d }, store: "{x}" }',
        more: "with: { x: [a, b] }\nawait: { every: soon }",
      }),
      `${LINE.more + 1}: await.every: found "soon", allowed ${DURATION}, more than 0`,
    ],
    [
      "two products with one name",
      aDatasetFile({
        product: "timeseries: { calendar: { every: 1d }, store: a }\n  - timeseries: { calendar: { every: 1d }, store: b }",
      }),
      `${LINE.product + 1}: products[1].timeseries.name: found a second product named timeseries, allowed each name once in a dataset`,
    ],
    [
      "two forms in one folder",
      aDatasetFile({
        product:
          "timeseries: { calendar: { every: 1d }, store: ../a, also: [ { kerchunk-json: { to: ../f } }, { kerchunk-parquet: { to: /data/f/ } } ] }",
      }),
      `${LINE.product}: products[0].timeseries.also[1].kerchunk-parquet.to: found the folder of ostia/timeseries as kerchunk-json, allowed a folder of its own for each form`,
    ],
    [
      "two products with one store",
      aDatasetFile({
        product:
          "timeseries: { calendar: { every: 1d }, store: ../a/ }\n  - timeseries: { name: b, calendar: { every: 1d }, store: /data/a }",
      }),
      `${LINE.product + 1}: products[1].timeseries.store: found for ostia/b the store of ostia/timeseries, allowed a store of its own for each product`,
    ],
  ];
  for (const [what, text, problem] of cases) {
    test(what, () => assert.deepEqual(problemsOf(text), [problem]));
  }
});

test("everything that is wrong is said at once, in the order of the file", () => {
  const problems = problemsOf(`sources:
  agency:
    at: gs://x
    webhok: true
---
name: A
from: { source: nobody }
products:
  - timeseries:
      calendar:
        every: 1d
        at: noon
      split: many
  - rolling: {}
await: 3
---
- x
---
name: [`);
  assert.deepEqual(
    problems.map((problem) => problem.split(": found")[0]),
    [
      "3: sources.agency.at",
      "4: sources.agency.webhok",
      "6: name",
      "6: match",
      "7: from.source",
      "9: products[0].timeseries.store",
      "12: products[0].timeseries.calendar.at",
      "13: products[0].timeseries.split",
      "14: products[1].rolling",
      "15: await",
      "17",
      "19",
    ],
  );
});

test("YAML's anchors may be used, and lead to the line of what they name", () => {
  const text = aDatasetFile({
    product: "timeseries: &series { calendar: { every: 1d }, store: a, splt: 1 }\n  - timeseries: *series",
  });
  assert.match(problemsOf(text)[0] ?? "", /^8: products\[0\]\.timeseries\.splt: found an unknown key/);
});

test("bombs and loops of anchors end in an error", () => {
  const levels = Array.from({ length: 9 }, (_, level) => `l${level + 1}: &l${level + 1} [${Array(9).fill(`*l${level}`)}]`);
  assert.match(problemsOf(`l0: &l0 [x]\n${levels.join("\n")}`).join(), /broken YAML \(Excessive alias count/);
  assert.deepEqual(problemsOf("name: &a [*a]"), [
    "1: found lists and mappings in each other more than 30 deep, allowed YAML 1.2",
  ]);
});

test("names out of JavaScript's own do no harm", () => {
  assert.match(
    problemsOf(aDatasetFile({ more: "__proto__: { name: x }\nconstructor: 1" })).join("\n"),
    /__proto__: found an unknown key/,
  );
});
