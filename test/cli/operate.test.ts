import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parseDatasetFile } from "../../src/dataset/index.ts";
import { applyDatasets } from "../../src/starters/index.ts";
import { granuleBytes } from "../products/made-granule.ts";
import { type CliEnd, freshet } from "../support/cli.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { World } from "../support/world.ts";

const noonMs = (day: number): number => Date.UTC(2017, 5, day, 12);
const nameOf = (day: number): string => `201706${String(day).padStart(2, "0")}120000.nc`;
const keyOf = (day: number): string => `201706${String(day).padStart(2, "0")}T120000Z`;
const bytes = (day: number, value: number, scale = 0.01): Uint8Array =>
  granuleBytes({
    seconds: [noonMs(day) / 1000],
    value: () => value,
    sst: { scale_factor: ["scale_factor", "float32", [scale]] },
  });

suite("an operator's commands", { skip: missingTemporal(), timeout: 900_000 }, () => {
  let world: World;
  let environment: Record<string, string>;
  const sst = (...words: readonly string[]): Promise<CliEnd> => freshet(words, environment);
  const done = async (...words: readonly string[]): Promise<string> => {
    const end = await sst(...words);
    assert.equal(end.code, 0, `${words.join(" ")}\n${end.stderr}${end.stdout}`);
    return end.stdout;
  };
  const refused = async (code: number, says: RegExp, ...words: readonly string[]): Promise<void> => {
    const end = await sst(...words);
    assert.equal(end.code, code, end.stderr + end.stdout);
    assert.match(end.stderr, says);
    assert.doesNotMatch(end.stderr, /^\s+at /m);
  };
  const deliver = async (day: number, value: number, scale?: number): Promise<void> => {
    await world.agency.publish(nameOf(day), bytes(day, value, scale), noonMs(day) + value * 1000);
    await sst("ingest", `${world.agency.url}${nameOf(day)}`, "--dataset", "sst");
  };

  before(async () => {
    world = await World.start();
    environment = { FRESHET_HOME: world.settings.home, TEMPORAL_ADDRESS: world.server.address };
    const text = `
sources: { s: { at: "${world.agency.url}" } }
---
name: sst
from: { source: s }
match: "{valid:%Y%m%d%H%M%S}.nc"
products: [ { timeseries: { calendar: { every: 1d, at: "12:00Z" }, store: "${world.settings.home}/stores/sst" } } ]
publish: { coalesce: 20ms }
`;
    const { datasets } = parseDatasetFile(text, { file: join(world.settings.home, "sst.yaml") });
    await applyDatasets(world.client, world.ledger, datasets);
  });
  after(() => world?.stop());

  test("rollback and release: asked for, held, shown by status and versions, ended", async () => {
    for (const day of [1, 2, 4]) await deliver(day, day * 10);
    await refused(2, /nobody can be asked.*--yes/, "rollback", "sst", "2", "--reason", "wrong");
    await refused(2, /no such version: found 9, expected #1 to #3/, "rollback", "sst", "9", "--reason", "wrong", "--yes");
    const looked = await done("rollback", "sst", "1", "--reason", "to look", "--dry-run");
    assert.match(looked, /rollback written and verified, not published: 1 granule/);
    assert.match(looked, /readonly_session\(snapshot_id="/);
    const back = await done("rollback", "sst", "#2", "--reason", "wrong", "--by", "anna", "--yes");
    assert.match(back, /sst\/timeseries: #4 is published, a rollback: 2 granules/);
    await world.until(async () => /held/.test(await done("status")), "the dataset is held");
    assert.match(await done("status"), /sst\/timeseries: .*shows publication #2 again.*anna: wrong/);
    assert.match(await done("status", "sst"), /shows publication #2 again/);
    assert.match(await done("versions", "sst"), /4 {2}\w{20} {2}rollback .* current, held/);
    assert.match(await done("verify", "sst"), /held: compared with #2/);
    const publish = await sst("publish", "sst");
    assert.equal(publish.code, 1);
    assert.match(publish.stderr, /shows publication #2 again/);
    assert.match(await done("release", "sst", "--reason", "right"), /#5 is published, a release: 3 granules/);
    await refused(1, /nobody holds this product/, "release", "sst", "--reason", "again");
  });

  test("versions: a list with marks, one version with its granules and gaps", async () => {
    const lines = (await done("versions", "sst", "--all", "--json")).trimEnd().split("\n");
    const versions = lines.map((line) => JSON.parse(line) as { sequence: number; marks: string[]; stale: number; kind: string });
    assert.deepEqual(
      versions.map(({ sequence, marks }) => `${sequence} ${marks}`),
      ["5 current", "4 ", "4 candidate", "3 ", "2 ", "1 "],
    );
    const one = await done("versions", "sst", "3");
    assert.match(one, /sst\/timeseries #3: version \w{20}, a publication, written/);
    assert.match(one, new RegExp(`2017-06-04T12:00:00Z {2}${keyOf(4)} `));
    assert.match(one, /1 gap in the calendar: 2017-06-03T12:00:00Z/);
    const candidate = versions.find(({ marks }) => marks.includes("candidate")) as unknown as { id: string };
    assert.match(await done("versions", "sst", candidate.id), /#4: version/);
    await refused(2, /no such version/, "versions", "sst", "77");
  });

  test("the lines that open an earlier version give its values", async () => {
    const one = await done("versions", "sst", "2");
    const zarrita = one.slice(one.indexOf("# in zarrita")).split("\n").slice(1).join("\n");
    const file = join(world.settings.home, "open.sh");
    writeFileSync(file, zarrita);
    const { stdout } = await promisify(execFile)("bash", [file]);
    assert.match(stdout, /sst \[ 2, 2, 3 \] last values: .*20, 20, 20, 20, 20/s);
  });

  test("rebuild: whole, as a trial, a range; a range without an instant is wrong use", async () => {
    await refused(2, /nobody can be asked/, "rebuild", "sst");
    assert.match(await done("rebuild", "sst", "--limit", "1"), /rebuild written and verified, not published: 1 granule/);
    assert.match(await done("rebuild", "sst", "--yes", "--json"), /"kind":"rebuild".*"changed":3,"isPublished":true/);
    const range = await done("rebuild", "sst", "--from", "2017-06-02", "--to", "2017-06-02T12:00");
    assert.match(range, /a rebuild: 3 granules, 1 written/);
    await refused(2, /--from takes an instant: found June/, "rebuild", "sst", "--from", "June");
  });

  test("publish: nothing new, and a candidate", async () => {
    assert.match(await done("publish", "sst"), /sst\/timeseries: nothing new, #7 stays/);
    assert.match(await done("publish", "sst", "--dry-run"), /nothing was written\n {2}there is nothing to publish/);
  });

  test("upkeep tells what it would remove, and removes it", async () => {
    assert.match(await done("upkeep", "sst", "--dry-run"), /objects? that nothing needs\n(.*\n)*.*versions readable/);
    await done("upkeep", "sst");
  });

  test("quarantine: shown as a table, many decided at once, one accepted into an epoch of its own", async () => {
    for (const day of [5, 6, 7]) await deliver(day, day * 10, 0.5);
    const shown = await done("quarantine", "show", "sst", keyOf(5));
    assert.match(shown, /variable {2}fact {10}found .* expected/);
    assert.match(shown, /\/sst {6}scale_factor {2}0\.5 \(float32\) {2}0\.00999.* \(float32\)/);
    await refused(2, /neither granules nor --all/, "quarantine", "skip", "sst", "--reason", "x");
    const dry = await done("quarantine", "skip", "sst", "--all", "--matching", "20170607", "--reason", "x", "--dry-run");
    assert.match(dry, new RegExp(`^sst ${keyOf(7)}: would skip it \\(`));
    const skipped = await done("quarantine", "skip", "sst", "--all", "--matching", "20170607", "--reason", "x");
    assert.equal(skipped, `sst ${keyOf(7)}: skipped\n`);
    const first = await done("quarantine", "accept", "sst", keyOf(5), "--reason", "new scaling");
    assert.match(first, /accepted, begins epoch 2 \(group epoch_2\); published in version \w{20}/);
    const second = await done("quarantine", "accept", "sst", "--all", "--reason", "new scaling");
    assert.match(second, /accepted, has the form of epoch 2 \(group epoch_2\)/);
    assert.match(await done("versions", "sst", "9"), /epoch 2, in the group epoch_2: 2 granules/);
    assert.match(await done("quarantine", "list", "sst"), /^0 revisions/);
  });

  test("verify: agreement, a source that was replaced, exit code 1 and what to do", async () => {
    const agreed = await done("verify", "sst", "--sources");
    assert.match(agreed, /their sources, with what references expect +5 of 5 {2}agrees/);
    await world.agency.publish(nameOf(1), bytes(1, 99), noonMs(1));
    const end = await sst("verify", "sst");
    assert.equal(end.code, 1, end.stdout);
    assert.match(end.stdout, new RegExp(`${keyOf(1)} at .*${nameOf(1)}\n.*found .*\n.*expected .*\n.*freshet ingest`));
    await deliver(1, 12);
    await done("verify", "sst", "--json");
    const [, before] = (await done("versions", "sst", "--json")).split("\n").map((line) => line && JSON.parse(line));
    assert.equal(before.stale, 1);
  });

  test("ledger rebuild: a lost ledger is filled from the store", async () => {
    const lost = join(world.settings.home, "new-ledger.db");
    const elsewhere = { ...environment, FRESHET_LEDGER: lost };
    const file = join(world.settings.home, "again.yaml");
    const [dataset] = (await world.ledger.datasets()).filter(({ name }) => name === "sst");
    const { openLedger } = await import("../../src/ledger/index.ts");
    const ledger = await openLedger(lost);
    await ledger.putDataset(dataset as NonNullable<typeof dataset>);
    await ledger.close();
    rmSync(file, { force: true });
    const end = await freshet(["ledger", "rebuild", "sst"], elsewhere);
    assert.match(end.stdout, /sst\/timeseries: 10 publications brought back from 10 versions, 0 expired/, end.stderr);
    const verified = await freshet(["verify", "sst"], elsewhere);
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  });

  test("apply --dry-run makes no ledger", async () => {
    const home = mkdtempSync(join(tmpdir(), "freshet-dry-"));
    const file = fileURLToPath(new URL("../../datasets/ostia.yaml", import.meta.url));
    assert.ok(readFileSync(file).length > 0);
    const end = await freshet(["apply", file, "--dry-run", "--home", join(home, "none")], environment);
    assert.match(end.stdout, /would change/, end.stderr);
    assert.equal(existsSync(join(home, "none")), false);
    rmSync(home, { recursive: true });
  });

  test("without the dataset's workflow, or its server, it says what to start", async () => {
    await world.client.workflow.getHandle("dataset:sst").terminate();
    await refused(1, /workflow does not run.*freshet apply/, "release", "sst", "--reason", "x");
    await refused(2, /no such dataset is applied: found nothing/, "upkeep", "nothing");
    const nobody = { ...environment, TEMPORAL_ADDRESS: "127.0.0.1:9" };
    assert.match((await freshet(["upkeep", "sst"], nobody)).stderr, /no Temporal server answers/);
  });
});
