import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type Passed, passGate } from "../../src/acquisition/index.ts";
import { type Dataset, parseDatasetFile } from "../../src/dataset/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import { type Ledger, openLedger } from "../../src/ledger/index.ts";
import { ScanStore } from "../../src/scan/index.ts";
import { type MadeGranule, scanGranule } from "../products/made-granule.ts";

const NOON_MS = Date.UTC(2017, 5, 5, 12);
const DAILY = '{ every: 1d, at: "12:00Z" }';

let home = "";
let ledger: Ledger;
let scans: ScanStore;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "freshet-gate-"));
  ledger = await openLedger(join(home, "ledger.db"));
  scans = new ScanStore(home);
});
afterEach(async () => {
  await ledger.close();
  await rm(home, { recursive: true, force: true });
});

function datasetWith(...calendars: string[]): Dataset {
  const products = calendars.map(
    (calendar, index) => `{ timeseries: { name: p${index}, calendar: ${calendar}, store: s${index} } }`,
  );
  const text = `
sources: { s: { at: /data } }
---
name: d
from: { source: s }
match: "{valid:%Y%m%d%H}.nc"
products: [ ${products.join(", ")} ]`;
  return parseDatasetFile(text, { file: join(home, "d.yaml") }).datasets[0] as Dataset;
}

async function pass(
  key: string,
  granule: MadeGranule,
  options: { fields?: Record<string, number>; dataset?: Dataset } = {},
): Promise<Passed> {
  const { fields = {}, dataset = datasetWith(DAILY) } = options;
  const scan = await scanGranule(granule);
  const address = await scans.put(scan);
  const answer = await passGate(
    { dataset: { name: "d", hash: "h" }, key, fields },
    dataset,
    "i",
    { scan, address },
    { ledger, scans },
  );
  assert.equal(answer.kind, "passed");
  return (answer as Extract<typeof answer, { kind: "passed" }>).passed;
}

const drift = (text: RegExp) => (error: unknown) => isFreshetError(error, "drift") && text.test(error.message);

describe("the gate", () => {
  test("the first granule gives the form; one that fits passes with its time and its steps", async () => {
    assert.deepEqual(await pass("a", {}), { validMs: NOON_MS, steps: 1, epoch: 1 });
    const next = { seconds: [NOON_MS / 1000 + 86_400], value: () => 9, title: "another" };
    assert.deepEqual(await pass("b", next), { validMs: NOON_MS + 86_400_000, steps: 1, epoch: 1 });
    assert.deepEqual(await pass("a", {}), { validMs: NOON_MS, steps: 1, epoch: 1 });
  });

  test("of several at once one gives the form, and the others are held against it", async () => {
    const units = ["K", "degC", "degF"];
    const outcomes = await Promise.allSettled(units.map((unit) => pass(unit, { sst: { units: ["units", "char", unit] } })));
    assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
    for (const outcome of outcomes) if (outcome.status === "rejected") assert.ok(drift(/\/sst units/)(outcome.reason));
  });

  test("every disagreement is told, and whose form it is", async () => {
    await pass("a", {});
    await assert.rejects(
      pass("b", { sst: { units: ["units", "char", "degC"], scale_factor: ["scale_factor", "float32", [1]] } }),
      drift(/\/sst units: found degC, expected K; \/sst scale_factor: found 1 \(float32\).*form is that of a$/),
    );
  });

  test("a time beside the calendar is told, and gives nobody a form", async () => {
    await assert.rejects(
      pass("a", { seconds: [NOON_MS / 1000 + 60] }),
      drift(/no place in p0.*2017-06-05T12:01:00Z.*not on the declared calendar/),
    );
    assert.deepEqual(await pass("b", { sst: { units: ["units", "char", "degC"] } }), { validMs: NOON_MS, steps: 1, epoch: 1 });
  });

  test("a granule that one product cannot hold gives none of them a form", async () => {
    const dataset = datasetWith(DAILY, '{ every: 1d, at: "00:00Z" }');
    await assert.rejects(pass("a", {}, { dataset }), drift(/no place in p1/));
    const candidate = { key: "x", identity: "i", scan: { uri: "scans/x", sha256: "x" } };
    assert.equal((await ledger.establishTemplate("d", "p0", candidate)).key, "x");
  });

  test("a granule that could not be published gives nobody a form", async () => {
    await assert.rejects(
      pass("a", { without: ["sst"] }),
      (error) => isFreshetError(error, "unsupported") && /no array along the time axis/.test(error.message),
    );
    assert.deepEqual(await pass("b", {}), { validMs: NOON_MS, steps: 1, epoch: 1 });
  });

  test("a name that says another time is drift, whether as `valid` or as `run` and `lead`", async () => {
    await assert.rejects(pass("a", {}, { fields: { valid: NOON_MS - 3_600_000 } }), drift(/not the one in its name/));
    await assert.rejects(pass("a", {}, { fields: { run: NOON_MS, lead: 3_600_000 } }), drift(/not the one in its name/));
    assert.ok(await pass("a", {}, { fields: { run: NOON_MS - 3_600_000, lead: 3_600_000 } }));
  });
});
