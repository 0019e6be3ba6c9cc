import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort } from "../../src/cli/demo/free-port.ts";
import { shellWord } from "../../src/cli/shell-word.ts";
import { type Ledger, openLedger } from "../../src/ledger/index.ts";
import { missingPython, PYTHON } from "../support/python.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { type Ended, freshet } from "./cli.ts";

/** Far more than it takes: 15 s on two idle cores. */
const PATIENCE = { timeout: 180_000 };
const project = fileURLToPath(new URL("../..", import.meta.url));
const OSTIA_KEYS = ["20170605T120000Z", "20170606T120000Z", "20170607T120000Z"];
const MOGREPS_KEYS = ["20170602T030000Z,012h", "20170603T030000Z,012h", "20170604T030000Z,012h"];

/** Runs what a person pastes into a shell in the project's folder. */
async function paste(lines: string): Promise<string> {
  const { stdout } = await promisify(execFile)("/bin/sh", ["-c", lines], { cwd: project, timeout: 120_000 });
  return stdout;
}

/** The commands below a heading of the demo's last words. */
function commands(stdout: string, heading: RegExp): string {
  const found = stdout.split(/\n\n(?=# )/).find((part) => heading.test(part.split("\n")[0] as string));
  assert.ok(found, `the demo prints a part ${heading}`);
  return found.split("\n").slice(1).join("\n").trim();
}

async function processesThatName(text: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)("ps", ["-eo", "pid,args"]);
  return stdout.split("\n").filter((line) => line.includes(text));
}

describe("freshet demo", { skip: missingTemporal() }, () => {
  let home = "";
  let folder = "";
  let ended: Ended;
  let ledger: Ledger;

  before(async () => {
    home = await mkdtemp(join(tmpdir(), "freshet demo "));
    folder = join(home, "first");
    ended = await freshet(["demo", "--folder", folder]);
    ledger = await openLedger(join(folder, "ledger.db"));
  }, PATIENCE);
  after(async () => {
    await ledger?.close();
    await rm(home, { recursive: true, force: true });
  });

  test("ends well, says nothing on stderr and leaves no process behind", async () => {
    assert.deepEqual({ code: ended.code, stderr: ended.stderr }, { code: 0, stderr: "" });
    assert.deepEqual(await processesThatName(folder), []);
  });

  test("shows plain lines where there is no terminal", () => {
    assert.ok(!ended.stdout.includes("\u001b"));
    for (const key of [...OSTIA_KEYS, ...MOGREPS_KEYS]) assert.match(ended.stdout, new RegExp(`s  \\S+ +${key}  published`));
    assert.match(ended.stdout, /20170603T030000Z,012h .* was there \d+\.\d\d s after its announcement/);
  });

  test("publishes three granules of each dataset, each with its time from announcement to readable", async () => {
    const [table = ""] = ended.stdout.split("From announcement to readable").slice(1);
    for (const [dataset, keys] of Object.entries({ ostia: OSTIA_KEYS, "mogreps-uk": MOGREPS_KEYS })) {
      const [last] = await ledger.publications(dataset, undefined, 1);
      assert.equal(last?.granules, 3);
      assert.ok(ended.stdout.includes(last?.snapshot as string));
      for (const key of keys) assert.match(table, new RegExp(`${dataset} +${key} +[\\d:.]+ +\\d+\\.\\d\\d`));
    }
  });

  test("puts the day that comes late into its place", async () => {
    const versions = (await ledger.publications("ostia", undefined, 10)).toReversed();
    const members = await Promise.all(versions.map(({ sequence }) => ledger.membersOf("ostia", "timeseries", sequence)));
    const [first, third, second, replaced] = members.flat().map(({ key }) => key);
    assert.deepEqual([first, second, third], OSTIA_KEYS);
    assert.equal(replaced, first);
    const program = commands(ended.stdout, /ostia in zarrita/).replace('resolve("/analysed_sst")', 'resolve("/time")');
    const times = program.replace(
      /const last[\s\S]*?process\.exit/,
      "console.log(JSON.stringify([...(await zarr.get(array)).data]));\nprocess.exit",
    );
    const day = 86_400;
    assert.deepEqual(JSON.parse(await paste(times)), [1_149_508_800, 1_149_508_800 + day, 1_149_508_800 + 2 * day]);
  });

  test("does nothing about the granule that is announced twice", async () => {
    const history = await ledger.history("ostia", "20170605T120000Z");
    const statesOf = (identity: string | undefined): string[] =>
      history.filter((entry) => entry.identity === identity).map(({ state }) => state);
    assert.deepEqual(statesOf(history[0]?.identity), ["heard", "ready", "published", "superseded"]);
    assert.deepEqual(statesOf(history.findLast(({ state }) => state === "published")?.identity), ["heard", "ready", "published"]);
    assert.match(ended.stdout, /20170605T120000Z .* announced twice, which changed nothing; then replaced/);
  });

  test("reads the replaced day as it is now, half a kelvin warmer", { skip: missingPython(), ...PATIENCE }, async () => {
    const versions = await ledger.publications("ostia", undefined, 10);
    const meanOf = async (version: string | undefined): Promise<number> => {
      const program = commands(ended.stdout, /^# ostia in xarray/)
        .replace(/^(ICECHUNK_LOG=\w+) (?:'[^']*'|\S+)/, `$1 ${shellWord(PYTHON as string)}`)
        .replace('readonly_session("main")', `readonly_session(snapshot_id="${version}")`)
        .replace("[-1]", "[0]");
      return Number((await paste(program)).trim().split(" ").at(-1));
    };
    const [now, before] = [await meanOf(versions[0]?.snapshot), await meanOf(versions[1]?.snapshot)];
    assert.ok(Math.abs(now - before - 0.5) < 0.01, `${before} K, then ${now} K`);
  });

  test("takes up the granule that was broken off when it is whole, and keeps the one of another form waiting", async () => {
    const broken = await ledger.revisionsOf("mogreps-uk", MOGREPS_KEYS[2] as string);
    // The first announcement ends with the second one, mostly before anything of the broken file is known.
    assert.equal(broken.at(-1)?.state, "published");
    assert.ok(broken.slice(0, -1).every(({ state }) => state === "superseded"));
    const [drifted] = await ledger.revisionsOf("ostia", "20170608T120000Z");
    assert.equal(drifted?.state, "quarantined");
    assert.match(drifted?.reason ?? "", /analysed_sst scale_factor: found 0\.01999.*, expected 0\.00999/);
  });

  test("prints the commands that show it and decide about it", PATIENCE, async () => {
    assert.match(await paste(commands(ended.stdout, /waits for a decision: see why/)), /scale_factor/);
    const again = /\((npm run demo -- --keep --folder .*?)\)/.exec(ended.stdout)?.[1];
    assert.ok(again);
    const [accept = ""] = commands(ended.stdout, /Decide, while it runs/).split("\n");
    let isAsked = false;
    const kept = await freshet(["demo", "--keep", "--folder", folder], (kill, stdout) => {
      let text = "";
      stdout.on("data", (chunk: string) => {
        text += chunk;
        if (isAsked || !/Everything runs until Ctrl-C/.test(text)) return;
        isAsked = true;
        void paste(accept).finally(() => kill("SIGINT"));
      });
    });
    assert.equal(kept.code, 130);
    assert.ok(isAsked);
    const [accepted] = await ledger.revisionsOf("ostia", "20170608T120000Z");
    assert.equal(accepted?.epoch, 2);
  });

  for (const [dataset, sizes] of [
    ["ostia", "analysed_sst  (time, lat, lon)"],
    ["mogreps-uk", "air_temperature "],
  ] as const) {
    test(`prints lines for xarray that open ${dataset}`, { skip: missingPython(), ...PATIENCE }, async () => {
      const program = commands(ended.stdout, new RegExp(`^# ${dataset} in xarray`));
      const output = await paste(program.replace(/^(ICECHUNK_LOG=\w+) (?:'[^']*'|\S+)/, `$1 ${shellWord(PYTHON as string)}`));
      assert.match(output, /time: 3/);
      assert.ok(output.includes(sizes), output);
      assert.match(output, /28\d\.\d+$/m, "the mean of the last step, in kelvin");
    });

    test(`prints lines for zarrita that open ${dataset}`, PATIENCE, async () => {
      const output = await paste(commands(ended.stdout, new RegExp(`${dataset} in zarrita`)));
      assert.match(output, /\[ 3, \d+, .*last values: \w+Array\(5\)/s);
    });
  }

  test("prints lines for temporal that show one granule's history", PATIENCE, async () => {
    const output = await paste(commands(ended.stdout, /The history of one granule/));
    assert.match(output, /WorkflowExecutionSignaled/);
    assert.match(output, /Status +COMPLETED/);
    // The last line tells the server to end, which takes it a moment.
    for (let tries = 0; tries < 100 && (await processesThatName(folder)).length > 0; tries++) await sleep(200);
    assert.deepEqual(await processesThatName(folder), []);
  });

  test("leaves what status shows without a server", async () => {
    const nobody = { TEMPORAL_ADDRESS: `127.0.0.1:${await freePort(0)}` };
    const status = await freshet(["status", "ostia", "--home", folder, "--json"], undefined, nobody);
    assert.equal(status.code, 0);
    const granules = status.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { key: string; stage: string });
    assert.deepEqual(
      granules.map(({ key, stage }) => `${key} ${stage}`).sort(),
      [...OSTIA_KEYS, "20170608T120000Z"].map((key) => `${key} published`),
    );
    assert.match(status.stderr, /^Temporal is not reachable at .*\n$/);
  });

  for (const [moment, sign] of [
    ["while it starts", /temporal /],
    ["in the middle of the agency's day", /before the day before it/],
  ] as const) {
    test(`stops cleanly at Ctrl-C ${moment}`, PATIENCE, async () => {
      const own = await mkdtemp(join(home, "stopped "));
      const stopped = await freshetUntil(["demo", "--folder", own], sign);
      assert.deepEqual({ code: stopped.code, stderr: stopped.stderr }, { code: 130, stderr: "freshet: stopped\n" });
      assert.deepEqual(await processesThatName(own), []);
    });
  }

  test("leaves a folder alone that no demo has made", async () => {
    const { code, stderr } = await freshet(["demo", "--folder", project]);
    assert.equal(code, 2);
    assert.match(stderr, /^freshet: the folder is not a demo's, so it is left alone: .*\n$/);
  });
});

/** Runs `freshet` and sends SIGINT when `sign` appears on stdout. */
function freshetUntil(args: readonly string[], sign: RegExp): Promise<Ended> {
  return freshet(args, (kill, stdout) => {
    let text = "";
    stdout.on("data", (chunk: string) => {
      if (sign.test(text)) return;
      text += chunk;
      if (sign.test(text)) kill("SIGINT");
    });
  });
}
