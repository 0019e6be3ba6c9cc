import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalDataset, DatasetFileError, parseDatasetFile } from "../../src/dataset/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";

const FILE = { file: "/data/sets/test.yaml" };
const SOURCES = `
sources:
  agency: { at: https://agency.example/data/, sqs: { queue: "\${ssm:/freshet/{stage}/queue}" } }
stages:
  dev: { sources: { agency: { at: https://dev.agency.example/data/, sqs: null } } }
`;
const DATASET = `
name: ostia
from: { source: agency }
match: "{valid:%Y%m%d}.nc"
products: [ { timeseries: { calendar: { every: 1d }, store: "/stores/{stage}/ostia" } } ]
stages:
  dev: { maintenance: { keep: { versions: 5 } } }
  prod: { name: ostia, maintenance: { sweep: 1h } }
`;
const at = (stage: string | undefined, text = `${SOURCES}---${DATASET}`) => parseDatasetFile(text, { ...FILE, stage }).datasets;

const problemsOf = (text: string): string[] => {
  try {
    at("dev", text);
    return [];
  } catch (error) {
    if (!(error instanceof DatasetFileError)) throw error;
    return error.problems.map(({ line, path, found, allowed }) => `${line}: ${path}: ${found} | ${allowed}`);
  }
};

test("a stage is the document with its overlay: mappings are joined, anything else is replaced, null removes", () => {
  const [dev] = at("dev");
  assert.equal(dev?.source.at, "https://dev.agency.example/data/");
  assert.equal(dev?.source.sqs, undefined);
  assert.deepEqual(dev?.maintenance.keep, { versions: 5, forMs: 0 });
  const [prod] = at("prod");
  assert.equal(prod?.source.at, "https://agency.example/data/");
  assert.equal(prod?.source.sqs?.queue, `\${ssm:/freshet/prod/queue}`);
  assert.deepEqual([prod?.maintenance.keep, prod?.maintenance.sweepMs], [undefined, 3_600_000]);
});

test("names and stores of stages differ: {stage} is filled in, and a name that says nothing of it ends in .STAGE", () => {
  const names = (text: string) => ["dev", "prod"].flatMap((stage) => at(stage, text)).map(({ name }) => name);
  assert.deepEqual(names(`${SOURCES}---${DATASET}`), ["ostia.dev", "ostia"]);
  assert.deepEqual(names(`${SOURCES}---${DATASET.replace("name: ostia\n", 'name: "{stage}-ostia"\n')}`), ["dev-ostia", "ostia"]);
  const many = DATASET.replace("name: ostia\n", 'name: "{kind}"\nwith: { kind: [a, b] }\n').replace("name: ostia, ", "");
  const stores = many.replace("{stage}/ostia", "{stage}/{kind}");
  assert.deepEqual(names(`${SOURCES}---${stores}`), ["a.dev", "b.dev", "a.prod", "b.prod"]);
  assert.deepEqual(
    ["dev", "prod"].map((stage) => at(stage)[0]?.products[0]?.store),
    ["file:///stores/dev/ostia", "file:///stores/prod/ostia"],
  );
});

test("the hash is that of the overlaid file: as if it had been written so", () => {
  const written = `
sources: { agency: { at: https://dev.agency.example/data/ } }
---
name: ostia.dev
from: { source: agency }
match: "{valid:%Y%m%d}.nc"
products: [ { timeseries: { calendar: { every: 1d }, store: /stores/dev/ostia } } ]
maintenance: { keep: { versions: 5 } }
`;
  const [overlaid] = at("dev").map(canonicalDataset);
  assert.deepEqual(overlaid, at(undefined, written).map(canonicalDataset)[0]);
  assert.notEqual(overlaid?.hash, at("prod").map(canonicalDataset)[0]?.hash);
});

test("a file with stages is read at one of them, any other at none", () => {
  const refused = (stage: string | undefined, said: RegExp, text?: string) =>
    assert.throws(
      () => at(stage, text),
      (error) => isFreshetError(error, "usage") && said.test(error.message),
    );
  refused(undefined, /has stages, and none is named: expected dev, prod.*--stage/);
  refused("staging", /no such stage: found staging, expected dev, prod/);
  refused("dev", /has no stages/, "sources: { agency: { at: https://agency.example/ } }");
});

test("what is wrong at any stage is said, with the line of the overlay", () => {
  const wrong = DATASET.replace("sweep: 1h", "sweep: often").replace("versions: 5", "version: 5");
  const problems = problemsOf(`${SOURCES}---${wrong}`);
  assert.equal(problems.length, 2, problems.join("\n"));
  assert.match(problems[0] ?? "", /^12: maintenance\.keep\.version: an unknown key/);
  assert.match(problems[1] ?? "", /^13: maintenance\.sweep: "often"/);
});

test("two stages with one store, one name, or a field named stage are refused", () => {
  const alone = `sources: { agency: { at: https://agency.example/ } }\n${DATASET}`;
  assert.match(
    problemsOf(alone.replace("{stage}/ostia", "ostia"))[0] ?? "",
    /for ostia\/timeseries the store of ostia\.dev\/timeseries/,
  );
  assert.match(problemsOf(alone.replace("dev: { ", "dev: { name: ostia, "))[0] ?? "", /a second dataset named ostia/);
  assert.match(problemsOf(`${alone}with: { stage: [a] }`)[0] ?? "", /with\.stage: a field named stage/);
  assert.match(problemsOf(alone.replace("dev: {", "Dev: {"))[0] ?? "", /a name of at most 16 lower-case letters/);
  assert.match(problemsOf(alone.replace(/dev: .*/, "dev: [ a ]"))[0] ?? "", /a mapping that is laid over the document/);
});
