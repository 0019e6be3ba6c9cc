import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ChangeClass, classifyChange, type Dataset, parseDatasetFile } from "../../src/dataset/index.ts";

interface Parts {
  readonly products?: string;
  readonly policies?: string;
  readonly drop?: string;
  readonly more?: string;
  readonly at?: string;
}

function dataset({ products, policies = "", drop = "", more = "", at = "/data" }: Parts = {}): Dataset {
  const given = products ?? '[ { timeseries: { calendar: { every: 1d, at: "12:00Z" }, store: /store } } ]';
  const text = `
sources: { s: { at: ${at} } }
---
name: d
from: { source: s }
match: "{valid:%Y%m%d}.nc"
scan: { drop: [${drop}] }
policies: { ${policies} }
products: ${given}
${more}`;
  return parseDatasetFile(text, { file: "/x.yaml" }).datasets[0] as Dataset;
}

const classified = (before: Parts, after: Parts): ChangeClass => classifyChange(dataset(before), dataset(after));
const product = (facts: string): Parts => ({ products: `[ { timeseries: { ${facts} } } ]` });

describe("a changed dataset file", () => {
  test("that says the same is no change", () => {
    assert.deepEqual(classified({}, {}), { kind: "none", reasons: [], rebuild: [] });
  });

  for (const [name, parts, reason] of [
    ["another place of the source", { at: "/other" }, "source: in place"],
    ["another coalescing", { more: "publish: { coalesce: 5s }" }, "publish: in place"],
    ["another sweep", { more: "maintenance: { sweep: 1h }" }, "maintenance: in place"],
    ["another policy", { policies: "withdrawn: keep" }, "policies: in place"],
    ["a later end", product('calendar: { every: 1d, at: "12:00Z", to: 2030-01-01 }, store: /store'), "timeseries: in place"],
  ] as const) {
    test(`${name}: in place`, () => {
      const { kind, reasons, rebuild } = classified({}, parts);
      assert.deepEqual([kind, reasons.length, rebuild], ["in-place", 1, []]);
      assert.ok(reasons[0]?.startsWith(reason), reasons[0]);
    });
  }

  for (const [name, parts, reason] of [
    ["another calendar", product('calendar: { every: 12h, at: "12:00Z" }, store: /store'), /another calendar/],
    ["a beginning", product('calendar: { every: 1d, at: "12:00Z", from: 2017-01-01 }, store: /store'), /another beginning/],
    ["another axis", product('axis: t, calendar: { every: 1d, at: "12:00Z" }, store: /store'), /axis: time → t/],
    ["another store", product('calendar: { every: 1d, at: "12:00Z" }, store: /elsewhere'), /the old one stays/],
    ["gaps left out", { policies: "missing: omit" }, /missing: gap → omit/],
    ["a variable less", { drop: "mask" }, /without mask/],
  ] as const) {
    test(`${name}: rebuilt aside and switched`, () => {
      const { kind, reasons, rebuild } = classified({}, parts);
      assert.deepEqual([kind, rebuild], ["rebuild", ["timeseries"]]);
      assert.match(reasons.join("\n"), reason);
    });
  }

  test("that wants a variable back which no scan has is refused, whatever else it changes", () => {
    const { kind, reasons, rebuild } = classified({ drop: "mask, ice" }, { drop: "ice", policies: "missing: omit" });
    assert.deepEqual([kind, rebuild], ["refused", []]);
    assert.match(reasons[0] ?? "", /mask would come back/);
  });

  test("that gives one product another's store is refused", () => {
    const after = product('name: other, calendar: { every: 1d, at: "12:00Z" }, store: /store');
    assert.equal(classified({}, after).kind, "refused");
  });

  test("with one product more and one less: the new one is built, the old store stays", () => {
    const after = product('name: other, calendar: { every: 1d, at: "12:00Z" }, store: /elsewhere');
    const { kind, reasons } = classified({}, after);
    assert.equal(kind, "in-place");
    assert.match(reasons.join("\n"), /other: a new product/);
    assert.match(reasons.join("\n"), /timeseries: no longer kept up/);
  });
});
