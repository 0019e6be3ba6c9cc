import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { canonicalDataset, parseDatasetFile } from "../../src/dataset/index.ts";
import { type Ledger, openLedger } from "../../src/ledger/index.ts";
import { Router } from "../../src/starters/index.ts";

const FILE = `
sources:
  s: { at: https://host/a/, allow: [https://host/a/b/] }
  f: { at: /data/in put/ }
---
name: days
from: { source: s }
match: "{valid:%Y%m%d}.nc"
products: [ { timeseries: { calendar: { every: 1d }, store: /s/days } } ]
---
name: areas
from: { source: s }
match: "{area}/{valid:%Y%m%d}.nc"
products: [ { timeseries: { calendar: { every: 1d }, store: /s/areas } } ]
---
name: local
from: { source: f }
match: "{name} {valid:%Y%m%d}.nc"
products: [ { timeseries: { calendar: { every: 1d }, store: /s/local } } ]
`;

let home = "";
let ledger: Ledger;
let router: Router;
before(async () => {
  home = await mkdtemp(join(tmpdir(), "freshet-routing-"));
  ledger = await openLedger(join(home, "ledger.db"));
  for (const dataset of parseDatasetFile(FILE, { file: join(home, "d.yaml") }).datasets)
    await ledger.putDataset(canonicalDataset(dataset));
  router = new Router(ledger);
});
after(async () => {
  await ledger.close();
  await rm(home, { recursive: true, force: true });
});

const routed = async (uri: string, only?: string): Promise<string[]> =>
  (await router.route(uri, only)).map(({ dataset, key }) => `${dataset.name} ${key}`);

describe("which granules a uri is", () => {
  for (const [uri, expected] of [
    // A grammar with n slashes reads the last n + 1 segments of what is behind the longest prefix.
    ["https://host/a/20170605.nc", ["days 20170605T000000Z"]],
    ["https://host/a/x/y/20170605.nc", ["areas 20170605T000000Z,y", "days 20170605T000000Z"]],
    // Behind the longer prefix there is no segment left for the area.
    ["https://host/a/b/20170605.nc", ["days 20170605T000000Z"]],
    ["https://host/a/b/c/20170605.nc", ["areas 20170605T000000Z,c", "days 20170605T000000Z"]],
    ["https://host/a/north%20sea/20170605.nc", ["areas 20170605T000000Z,north~20sea", "days 20170605T000000Z"]],
    ["https://host/a/s%C3%BCd/20170605.nc", ["areas 20170605T000000Z,s~c3~bcd", "days 20170605T000000Z"]],
    ["file:///data/in%20put/a%20b%2020170605.nc", ["local 20170605T000000Z,a~20b"]],
    ["https://HOST/a/./20170605.nc", ["days 20170605T000000Z"]],
    ["https://host/a/20170605.nc#x", ["days 20170605T000000Z"]],
    ["https://host/a/20170605.nc?token=x", []],
    ["https://host/a/20170605.nc4", []],
    ["https://host/a/20171305.nc", []],
    ["https://host/other/20170605.nc", []],
    ["https://host/a/../20170605.nc", []],
    ["https://user:secret@host/a/20170605.nc", []],
    ["https://host.evil/a/20170605.nc", []],
    ["https://host/a/%zz/20170605.nc", ["areas 20170605T000000Z,~25zz", "days 20170605T000000Z"]],
    ["no uri at all", []],
    ["", []],
  ] as const) {
    test(`${JSON.stringify(uri)}: ${expected.join("; ") || "none"}`, async () => {
      assert.deepEqual(await routed(uri), expected);
    });
  }

  test("it can be kept to one dataset", async () => {
    assert.deepEqual(await routed("https://host/a/x/20170605.nc", "areas"), ["areas 20170605T000000Z,x"]);
    assert.deepEqual(await routed("https://host/a/x/20170605.nc", "none"), []);
  });

  test("the fields come along as the grammar reads them, with the dataset file's hash", async () => {
    const [granule] = await router.route("https://host/a/x/20170605.nc", "areas");
    assert.deepEqual(granule?.fields, { area: "x", valid: Date.UTC(2017, 5, 5) });
    assert.match(granule?.hash ?? "", /^[0-9a-f]{64}$/);
  });

  test("a dataset that is applied later is known within a second or so", async () => {
    const text = FILE.replaceAll("days", "later").replace(/---\nname: areas[\s\S]*/, "");
    const [dataset] = parseDatasetFile(text, { file: join(home, "d.yaml") }).datasets;
    assert.ok(dataset);
    await ledger.putDataset(canonicalDataset(dataset));
    const started = Date.now();
    while (!(await routed("https://host/a/20170605.nc")).some((name) => name.startsWith("later"))) {
      assert.ok(Date.now() - started < 5_000);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
});
