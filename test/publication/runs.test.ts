import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { canonicalDataset } from "../../src/dataset/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import { firstRunOf, readRuns } from "../../src/publication/index.ts";
import { freshet } from "../cli/cli.ts";
import { granuleBytes } from "../products/made-granule.ts";
import { dyingAt, Workshop, type WorkshopOptions } from "./workshop.ts";

const DAY = 86_400_000;
const JUNE = Date.UTC(2017, 5, 1);
/** Run 0 begins on 1 June, run 1 on 4 June; three days each. */
const runMs = (run: number): number => JUNE + run * 3 * DAY;

let workshop: Workshop;
afterEach(() => workshop?.stop());

async function start(publish = "when-complete", more: WorkshopOptions = {}): Promise<void> {
  workshop = await Workshop.start({
    match: "{run:%Y%m%d}f{lead:1d}{version}.nc",
    runs: `{ every: 3d, at: "2017-06-01T00:00Z", leads: 0d..2d/1d, deadline: 2d, publish: ${publish} }`,
    products: '[ { forecast: { views: [fmrc], store: "store" } } ]',
    ...more,
  });
  workshop.now = () => JUNE + DAY;
}

function deliver(run: number, lead: number, version = "a", value = 1) {
  const day = new Date(runMs(run)).toISOString().slice(0, 10).replaceAll("-", "");
  const bytes = granuleBytes({ seconds: [runMs(run) / 1000 + lead * 86_400], value: () => value });
  return workshop.deliver(`${day}f${lead}${version}.nc`, bytes);
}

const published = async (): Promise<number[]> => (await workshop.settle()).map(({ granules }) => granules);
const states = async (): Promise<string> => Object.values(await workshop.states()).join(" ");

describe("a run that is published when it is complete", () => {
  test("is kept back until its last file is there, then comes in one version", async () => {
    await start();
    await deliver(0, 2);
    await deliver(0, 0);
    assert.deepEqual(await published(), []);
    assert.equal(await states(), "ready ready");
    await deliver(0, 1);
    assert.deepEqual(await published(), [3]);
    assert.equal(await states(), "published published published");
  });

  test("comes as it is once its deadline is over; what is late then comes at once", async () => {
    await start();
    await deliver(0, 0);
    assert.deepEqual(await published(), []);
    workshop.now = () => runMs(0) + 2 * DAY + 1;
    assert.deepEqual(await published(), [1]);
    await deliver(0, 2);
    assert.deepEqual(await published(), [2]);
  });

  test("waits for itself only: another one that is whole goes before it, and it is not passed over for that", async () => {
    await start();
    await deliver(0, 0);
    for (const lead of [0, 1, 2]) await deliver(1, lead);
    assert.deepEqual(await published(), [3]);
    await deliver(0, 1);
    assert.deepEqual(await published(), []);
    await deliver(0, 2);
    assert.deepEqual(await published(), [6]);
  });

  test("is still kept back when a writer died over another one, after it published and before it told the ledger", async () => {
    await start();
    await deliver(0, 0);
    for (const lead of [0, 1, 2]) await deliver(1, lead);
    await assert.rejects(workshop.settle(workshop.newPublisher(dyingAt(workshop.ledger, "recordPublication"))), (error) =>
      isFreshetError(error, "storage"),
    );
    await workshop.settle(workshop.newPublisher());
    assert.equal(await states(), "ready published published published");
    await deliver(0, 1);
    await deliver(0, 2);
    assert.deepEqual(await published(), [6]);
  });

  test("stays whole when a file of it is replaced", async () => {
    await start("when-complete", { match: "{run:%Y%m%d}f{lead:1d}a.nc" });
    for (const lead of [0, 1, 2]) await deliver(0, lead);
    assert.deepEqual(await published(), [3]);
    await deliver(0, 1, "a", 7);
    const [again] = await workshop.settle();
    assert.deepEqual([again?.granules, again?.changed], [3, 1]);
  });

  test("is not waited for where granules are published as they come", async () => {
    await start("as-they-come");
    await deliver(0, 1);
    assert.deepEqual(await published(), [1]);
  });
});

describe("the runs of a dataset", () => {
  test("are read by the ledger alone, also those of which nothing is there", async () => {
    await start();
    await deliver(0, 1);
    await deliver(2, 0);
    await deliver(2, 1);
    await deliver(2, 2);
    const found = await readRuns(workshop.ledger, workshop.dataset, { fromMs: runMs(0), toMs: runMs(2) }, runMs(2) + DAY);
    assert.deepEqual(
      found.map(({ state, members }) => [state, members.map((member) => member.state).join(" ")]),
      [
        ["late", "missing ready missing"],
        ["late", "missing missing missing"],
        ["complete", "ready ready ready"],
      ],
    );
    assert.equal(await firstRunOf(workshop.ledger, workshop.dataset), runMs(0));
  });

  test("are found too where another instant stands before the run in keys", async () => {
    await start("as-they-come", { match: "{run:%Y%m%d}f{lead:1d}{version}_{issued:%Y}.nc" });
    for (const run of [1, 0]) {
      const day = new Date(runMs(run)).toISOString().slice(0, 10).replaceAll("-", "");
      await workshop.deliver(`${day}f0a_20${30 - run}.nc`, granuleBytes({ seconds: [runMs(run) / 1000] }));
    }
    assert.equal(await firstRunOf(workshop.ledger, workshop.dataset), runMs(0));
    const [run] = await readRuns(workshop.ledger, workshop.dataset, { fromMs: runMs(0), toMs: runMs(0) }, runMs(0));
    assert.equal(run?.members[0]?.state, "ready");
  });

  test("freshet runs shows them as a matrix, and as JSON, without a Temporal server", async () => {
    await start();
    await deliver(0, 1);
    for (const lead of [0, 1, 2]) await deliver(1, lead);
    await published();
    await workshop.ledger.putDataset(canonicalDataset(workshop.dataset));
    const words = ["runs", "sst", "--to", "2017-06-08", "--home", workshop.folder];
    const shown = await freshet(words);
    assert.equal(shown.code, 0, shown.stderr);
    const rows = shown.stdout.split("\n").map((line) => line.trim().split(/ {2,}/));
    assert.deepEqual(rows[2]?.slice(0, 3), ["20170607T0000Z", "given up", "0/3"]);
    assert.deepEqual(rows[3]?.slice(0, 3), ["20170604T0000Z", "complete", "3/3"]);
    assert.match(rows[3]?.at(-1) ?? "", /^[#L]{3}$/);
    assert.deepEqual(rows[4]?.slice(-2), ["-+-", "0h, 48h"]);
    const json = await freshet([...words, "--json", "--last", "2"]);
    const records = json.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      records.map(({ run, state, awaited }) => [run, state, awaited]),
      [
        ["20170604T0000Z", "complete", ""],
        ["20170607T0000Z", "given up", "0h..48h"],
      ],
    );
    const none = await freshet(["runs", "other", "--home", workshop.folder]);
    assert.notEqual(none.code, 0);
  });
});
