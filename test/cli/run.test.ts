import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { loadIcechunk } from "../../src/writers/icechunk/index.ts";
import { startTestAgency } from "../support/agency.ts";
import { TestCmr } from "../support/cmr.ts";
import { OSTIA } from "../support/granules.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { freshet } from "./cli.ts";

/** The source's own look at CMR, which begins with `apply`, passes over what was revised then. */
const LONG_AGO = Date.UTC(2018, 0, 1);

suite("freshet run --once, with a Temporal server of its own", { skip: missingTemporal(), timeout: 180_000 }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freshet run "));
    await mkdir(join(folder, "agency"));
    for (const { name, path } of OSTIA.slice(0, 2)) await copyFile(path, join(folder, "agency", name));
    const { name } = OSTIA[0] as { name: string };
    await writeFile(
      join(folder, "days.yaml"),
      `
sources: { agency: { at: agency/ } }
---
name: days
from: { source: agency }
match: "${name.replace(/^\d{14}/, "{valid:%Y%m%d%H%M%S}")}"
products: [ { timeseries: { calendar: { every: 1d, at: "12:00Z" }, store: store } } ]
`,
    );
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const environment = { TEMPORAL_ADDRESS: "" };
  const run = (...args: string[]) =>
    freshet(
      ["run", join(folder, "days.yaml"), "--once", "--home", join(folder, "home"), "--json", ...args],
      undefined,
      environment,
    );
  const span = ["--from", "2017-06-05", "--to", "2017-06-07"];

  test("brings in what is there, publishes it, keeps a report, and leaves nothing running", async () => {
    const { code, stdout, stderr } = await run(...span);
    assert.equal(code, 0, stderr);
    const report = JSON.parse(stdout);
    assert.deepEqual([report.granules.ready, report.granules.absent, report.quarantined, report.troubles], [2, 1, [], []]);
    const last = report.versions.at(-1);
    assert.equal(last.granules, 2);
    const { Repository, Storage } = loadIcechunk();
    const repository = await Repository.open(await Storage.newLocalFilesystem(join(folder, "store")));
    assert.equal(await repository.lookupBranch("main"), last.snapshot);
    assert.equal((await readdir(join(folder, "home", "reports"))).length, 1);
  });

  test("the second time there is nothing left to do", async () => {
    const { code, stdout } = await run(...span);
    const report = JSON.parse(stdout);
    assert.deepEqual([code, report.granules.known, report.granules.ready, report.versions], [0, 2, 0, []]);
  });

  test("takes what the source's CMR tells of a span", async () => {
    const [agency, cmr] = await Promise.all([startTestAgency(join(folder, "server")), TestCmr.start()]);
    try {
      const collection = cmr.collection("OSTIA-TEST");
      for (const { name, path } of OSTIA.slice(0, 2)) {
        await agency.publish(name, { copyOf: path });
        const day = `${name.slice(0, 4)}-${name.slice(4, 6)}-${name.slice(6, 8)}`;
        const temporal = [`${day}T00:00:00Z`, `${day}T23:59:59Z`] as const;
        cmr.ingest(collection, { name, links: [{ url: `${agency.url}${name}` }], temporal }, LONG_AGO);
      }
      const source = `{ at: "${agency.url}", cmr: { endpoint: "${cmr.url}" } }`;
      const days = (await readFile(join(folder, "days.yaml"), "utf8"))
        .replace("{ at: agency/ }", source)
        .replace("{ source: agency }", "{ source: agency, collection: OSTIA-TEST }")
        .replace("store: store", "store: cmr-store");
      const file = join(folder, "by-cmr.yaml");
      await writeFile(file, days);
      const words = ["run", file, "--once", "--source", "cmr", ...span.with(1, "2017-06-06"), "--json"];
      const { code, stdout, stderr } = await freshet([...words, "--home", join(folder, "by-cmr")], undefined, environment);
      assert.equal(code, 0, stderr);
      const { granules, versions } = JSON.parse(stdout);
      assert.deepEqual([granules.ready, granules.absent, versions.at(-1).granules], [1, 0, 1]);
    } finally {
      await agency.close();
      await cmr.close();
    }
  });

  test("ends with 1 where something waits for a decision", async () => {
    const { name } = OSTIA[2] as { name: string };
    await writeFile(join(folder, "agency", name), "an error page");
    const { code, stdout } = await run(...span);
    assert.equal(code, 1);
    const { quarantined } = JSON.parse(stdout);
    assert.equal(quarantined.length, 1);
    assert.match(quarantined[0].reason, /looks like text|not a format/);
  });

  test("a mistake is told before anything is started", async () => {
    const { code, stderr } = await run("--from", "yesterday");
    assert.equal(code, 2);
    assert.match(stderr, /--from takes an instant: found yesterday/);
    const other = await run("--source", "cmr");
    assert.deepEqual([other.code, /the dataset's source has no CMR/.test(other.stderr)], [2, true]);
  });
});
