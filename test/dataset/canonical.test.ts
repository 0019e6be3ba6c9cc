import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { canonicalDataset, type Dataset, datasetOfText } from "../../src/dataset/index.ts";
import { aDatasetFile, parse } from "./dataset-files.ts";

function dataset(text: string): Dataset {
  return parse(text).datasets[0] ?? assert.fail("no dataset");
}

const hashOf = (text: string) => canonicalDataset(dataset(text)).hash;

describe("the hash of a dataset", () => {
  test("is that of its canonical text, which gives the dataset back", () => {
    const one = dataset(aDatasetFile({ source: "at: x, mirror: m" }));
    const { name, hash, text } = canonicalDataset(one);
    assert.equal(name, "ostia");
    assert.equal(hash, createHash("sha256").update(text).digest("hex"));
    assert.deepEqual(datasetOfText(text), one);
    assert.deepEqual(canonicalDataset(datasetOfText(text)).hash, hash);
  });

  test("does not depend on comments, order, layout, spelled-out defaults or units", () => {
    const same = `
# a comment
products:
  - timeseries:
      store: /data/stores/ostia/   # another
      calendar: { at: "00:00Z", every: 24h }
      axis: time
match: ["{valid:%Y%m%d}.nc"]
publish: { coalesce: 1000ms }
policies: { missing: gap }
sources: { agency: { at: "https://AGENCY.example/data/" } }
from: { source: agency }
name: ostia
`;
    assert.equal(hashOf(same), hashOf(aDatasetFile()));
    const lists = (drop: string) => hashOf(aDatasetFile({ more: `scan: { drop: [${drop}] }` }));
    assert.equal(lists("a, b"), lists("b, a, b"));
  });

  test("changes with everything that is declared, the source included", () => {
    const texts = [
      aDatasetFile(),
      aDatasetFile({ source: "at: https://agency.example/other" }),
      aDatasetFile({ match: '"{valid:%Y%m%d%H}.nc"' }),
      aDatasetFile({ timeseries: "{ calendar: { every: 2d, at: 2017-06-05T00:00Z }, store: ../stores/ostia }" }),
      aDatasetFile({ timeseries: "{ calendar: { every: 1d }, store: ../stores/other }" }),
      aDatasetFile({ more: "publish: { coalesce: 2s }" }),
      aDatasetFile({ more: "policies: { missing: omit }" }),
    ];
    assert.equal(new Set(texts.map(hashOf)).size, texts.length);
  });
});
