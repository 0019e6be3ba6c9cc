import assert from "node:assert/strict";
import { test } from "node:test";
import { type ForecastProduct, parseDatasetFile } from "../../src/dataset/index.ts";
import { runSplit } from "../../src/products/index.ts";

function forecastOf(more: string): ForecastProduct {
  const text = `
sources: { s: { at: "/data/in/" } }
---
name: model
from: { source: s }
match: "{run:%Y%m%dT%H}.{lead:2h}.nc"
runs: { every: 6h, leads: 0h..48h/1h }
products: [ { forecast: { store: "/data/store"${more} } } ]
`;
  return parseDatasetFile(text, { file: "/data/model.yaml" }).datasets[0]?.products[0] as ForecastProduct;
}

test("a manifest of the grid holds whole runs, about as many positions as one along a line, and at least one run", () => {
  assert.deepEqual(runSplit(forecastOf("")), { dimension: "run", chunks: 20 });
  assert.deepEqual(runSplit(forecastOf(", split: 10")), { dimension: "run", chunks: 1 });
});
