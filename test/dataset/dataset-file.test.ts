import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Calendar, compileNames, type Dataset, isOn, parseDatasetFile, validTimeOf } from "../../src/dataset/index.ts";
import { datasetFileJsonSchema } from "../../src/dataset/json-schema.ts";
import { aDatasetFile, parse } from "./dataset-files.ts";

function example(name: string) {
  const file = fileURLToPath(new URL(`../../datasets/${name}`, import.meta.url));
  const { datasets } = parseDatasetFile(readFileSync(file, "utf8"), { file });
  return datasets[0] ?? assert.fail("no dataset");
}

function calendarOf({ products: [product] }: Dataset): Calendar {
  return product?.kind === "timeseries" ? product.calendar : assert.fail();
}

describe("the example", () => {
  test("ostia.yaml knows its granules and the days that they are valid", () => {
    const ostia = example("ostia.yaml");
    const names = compileNames(ostia.match);
    const fields = names.match("20170605120000-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc") ?? assert.fail();
    assert.equal(names.key(fields), "20170605T120000Z");
    // The value of `time` in the file, 1 149 508 800 s since 1981-01-01.
    assert.equal(validTimeOf(fields), (1_149_508_800 + 347_155_200) * 1000);
    assert.ok(isOn(calendarOf(ostia), validTimeOf(fields) as number));
    assert.match(ostia.source.at, /^file:\/\/\/.*\/test\/data\/netcdf3\/$/);
  });

  test("mogreps-uk.yaml takes valid time from run and lead", () => {
    const mogreps = example("mogreps-uk.yaml");
    const names = compileNames(mogreps.match);
    const fields = names.match("20170602T0300Z-PT0012H-temperature_at_screen_level.nc") ?? assert.fail();
    assert.equal(names.key(fields), "20170602T030000Z,012h");
    // The value of `time` in the file.
    assert.equal(validTimeOf(fields), 1_496_415_600_000);
    assert.ok(isOn(calendarOf(mogreps), 1_496_415_600_000));
  });
});

describe("a dataset file", () => {
  test("fills in every default", () => {
    const { sources, datasets } = parse(aDatasetFile());
    const source = { name: "agency", at: "https://agency.example/data/", allow: [] };
    assert.deepEqual(sources, [source]);
    assert.deepEqual(datasets, [
      {
        name: "ostia",
        source,
        match: ["{valid:%Y%m%d}.nc"],
        scan: { drop: [] },
        products: [
          {
            kind: "timeseries",
            name: "timeseries",
            axis: "time",
            dimension: "time",
            calendar: { kind: "fixed", everyMs: 86_400_000, anchorMs: 0 },
            store: "file:///data/stores/ostia",
            split: 1000,
          },
        ],
        policies: {
          late: "insert",
          replaced: "replace",
          duplicate: "newest",
          missing: "gap",
          drift: "quarantine",
          withdrawn: "drop",
        },
        publish: { coalesceMs: 1_000, verify: { chunks: 8 } },
        maintenance: { sweepMs: 21_600_000, upkeepMs: 86_400_000, graceMs: 86_400_000 },
        await: { deadlineMs: 3_600_000, everyMs: 30_000 },
      },
    ]);
  });

  test("takes every key", () => {
    const { datasets } = parse(`
sources:
  agency:
    at: HTTPS://Agency.example:443/a/../data
    allow: [file:///mnt/x, ../more]
    mirror: mirror
name: sst
from: { source: agency }
match: ["{run:%Y%m%d}.{lead:3}.nc", "{run:%Y%m%d}/{lead:3}.nc"]
scan: { drop: [b, a, b, /group/lon] }
products:
  - timeseries: { name: series, axis: valid_time, dimension: t, calendar: { every: 6h, from: 2017-06-05 }, store: file:///s/a/, split: 5000 }
  - timeseries: { calendar: { every: 1mo }, store: other }
policies: { late: insert, replaced: replace, duplicate: newest, missing: omit, drift: quarantine, withdrawn: keep }
publish: { coalesce: 500ms, verify: { chunks: 2 } }
maintenance: { sweep: 1h, upkeep: 12h, grace: 2d, keep: { versions: 10, for: 30d } }
await: { deadline: 2h, every: 5s }
`);
    const [dataset] = datasets;
    assert.deepEqual(dataset?.source, {
      name: "agency",
      at: "https://agency.example/data/",
      allow: ["file:///data/more/", "file:///mnt/x/"],
      mirror: "file:///data/sets/mirror/",
    });
    assert.deepEqual(dataset?.scan, { drop: ["/group/lon", "a", "b"] });
    assert.deepEqual(dataset?.publish, { coalesceMs: 500, verify: { chunks: 2 } });
    assert.deepEqual(dataset?.await, { deadlineMs: 7_200_000, everyMs: 5_000 });
    assert.deepEqual(dataset?.maintenance, {
      sweepMs: 3_600_000,
      upkeepMs: 43_200_000,
      graceMs: 172_800_000,
      keep: { versions: 10, forMs: 2_592_000_000 },
    });
    assert.deepEqual([dataset?.policies.missing, dataset?.policies.withdrawn], ["omit", "keep"]);
    assert.equal(dataset?.match.length, 2);
    const [series, other] = dataset?.products ?? [];
    assert.deepEqual(
      [series?.name, series?.axis, series?.dimension, series?.store, series?.split],
      ["series", "valid_time", "t", "file:///s/a", 5000],
    );
    assert.deepEqual([other?.name, other?.store], ["timeseries", "file:///data/sets/other"]);
  });

  test("may declare its sources anywhere, and many datasets", () => {
    const dataset = (name: string) =>
      `name: ${name}\nfrom: { source: s }\nmatch: "{x}.nc"\nproducts: [ { timeseries: { calendar: { every: 1d }, store: ${name} } } ]\n`;
    const { datasets } = parse(
      `# only a comment\n---\n${dataset("one")}---\n${dataset("two")}---\nsources: { s: { at: /in } }\n`,
    );
    assert.deepEqual(
      datasets.map(({ name }) => name),
      ["one", "two"],
    );
  });

  test("a template makes one dataset for each combination", () => {
    const { datasets } = parse(`
sources: { s: { at: /in } }
name: "{model}-{n}"
with: { model: [cbofs, dbofs], n: [1, 2] }
from: { source: s }
match: "{model}/{n}.{run:%Y%m%d}.{model}.{member:int}.nc"
products: [ { timeseries: { calendar: { every: 1d }, store: "{model}/{n}" } } ]
`);
    assert.deepEqual(
      datasets.map(({ name, match, products }) => [name, match[0], products[0]?.store]),
      ["cbofs", "dbofs"].flatMap((model) =>
        [1, 2].map((n) => [
          `${model}-${n}`,
          `${model}/${n}.{run:%Y%m%d}.${model}.{member:int}.nc`,
          `file:///data/sets/${model}/${n}`,
        ]),
      ),
    );
  });
});

test("the examples of docs/dataset-file.md are good dataset files", () => {
  const page = readFileSync(new URL("../../docs/dataset-file.md", import.meta.url), "utf8");
  const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => parse(text ?? ""));
  assert.deepEqual(
    examples.map(({ datasets }) => datasets.map(({ name }) => name)),
    [["ostia"], [], ["dbofs"], ["mur"], ["mur"], ["cbofs-fields", "dbofs-fields", "tbofs-fields"]],
  );
});

test("the JSON Schema for editors is up to date", () => {
  const stored = readFileSync(new URL("../../docs/dataset.schema.json", import.meta.url), "utf8");
  assert.equal(stored, datasetFileJsonSchema(), "run: node scripts/json-schema.ts");
});
