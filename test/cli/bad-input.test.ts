import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { parseDatasetFile } from "../../src/dataset/index.ts";
import { applyDatasets } from "../../src/starters/index.ts";
import { type CliEnd, freshet } from "../support/cli.ts";
import { datasetYaml, MOGREPS, OSTIA, type RealGranule } from "../support/granules.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { World } from "../support/world.ts";

const [GRANULE] = OSTIA as [RealGranule];
const [NETCDF4] = MOGREPS as [RealGranule];
const folder = mkdtempSync(join(tmpdir(), "freshet-bad-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** One clear line on stderr, no trace, an exit code that says so. */
function assertOneLine(end: CliEnd, pattern: RegExp, code = 1): void {
  assert.equal(end.code, code, `${end.stderr}${end.stdout}`);
  const lines = end.stderr.trimEnd().split("\n");
  assert.equal(lines.length, 1, end.stderr);
  assert.match(lines[0] as string, /^freshet: /);
  assert.match(lines[0] as string, pattern);
  assert.doesNotMatch(end.stderr, /^\s+at /m);
}

suite("freshet scan says in one line what is wrong", () => {
  const cases: readonly [what: string, make: () => string, says: RegExp][] = [
    ["a text file", () => put("text.nc", "latitude,longitude\n"), /looks like text.*expected HDF5 or NetCDF4.*text\.nc/],
    ["an empty file", () => put("empty.nc", ""), /empty/],
    [
      "a truncated NetCDF3 header",
      () => put("short3.nc", readFileSync(GRANULE.path).subarray(0, 100)),
      /does not fit into the file.*Fetch the file again/,
    ],
    [
      "a truncated NetCDF4 file",
      () => put("short4.nc", readFileSync(NETCDF4.path).subarray(0, 40)),
      /ends|truncated|too early|end of the file/,
    ],
    ["no such file", () => join(folder, "nowhere.nc"), /no such file|not there|does not exist|ENOENT/i],
  ];
  for (const [what, make, says] of cases) {
    test(what, async () => assertOneLine(await freshet(["scan", make()]), says));
  }

  test("a stack trace comes only when it is asked for", async () => {
    const end = await freshet(["scan", put("text.nc", "x"), "--trace"]);
    assert.match(end.stderr, /^\s+at /m);
  });

  test("a word that is no command is wrong use, and a near one is named", async () => {
    assertOneLine(await freshet(["scna", "x"]), /scan/, 2);
  });
});

suite("without a Temporal server", () => {
  const nobody = { TEMPORAL_ADDRESS: "127.0.0.1:9", FRESHET_HOME: join(folder, "home-without") };
  test("apply, ingest and worker say so, and what to do", async () => {
    const file = put("datasets.yaml", datasetYaml({ at: "https://example.org/", home: folder }));
    assertOneLine(await freshet(["apply", file], nobody), /no Temporal server answers.*127\.0\.0\.1:9.*TEMPORAL_ADDRESS/);
    assertOneLine(await freshet(["worker"], nobody), /no Temporal server answers/);
  });

  test("a wrong dataset file is found before anything is asked of a server: every error with its line", async () => {
    const file = put(
      "wrong.yaml",
      datasetYaml({ at: "https://example.org/", home: folder }).replace("match:", "mtach:").replace("every: 1d", "every: 1x"),
    );
    const end = await freshet(["apply", file], nobody);
    assert.equal(end.code, 2, end.stderr);
    assert.match(end.stderr, /wrong\.yaml:\d+:.*mtach/);
    assert.match(end.stderr, /wrong\.yaml:\d+:.*1x/);
    assert.doesNotMatch(end.stderr, /^\s+at /m);
  });

  test("a ledger in a folder that cannot be written, or that is something else", async () => {
    const file = put("not-a-ledger.db", "this is no database, but it is long enough to look at".repeat(20));
    assertOneLine(await freshet(["versions", "ostia"], { ...nobody, FRESHET_LEDGER: file }), /ledger|database/);
    assertOneLine(await freshet(["versions", "ostia"], { ...nobody, FRESHET_LEDGER: join(file, "below-a-file.db") }), /ledger/);
  });
});

suite("with a Temporal server and a worker", { skip: missingTemporal(), timeout: 240_000 }, () => {
  let world: World;
  let environment: Record<string, string>;
  before(async () => {
    world = await World.start();
    environment = { FRESHET_HOME: world.settings.home, TEMPORAL_ADDRESS: world.server.address };
  });
  after(() => world?.stop());

  test("ingest of a 404 says what it waits for when its patience ends, and the granule goes on", async () => {
    const end = await freshet(["ingest", `${world.agency.url}${GRANULE.name}`, "--wait", "4s"], environment);
    assertOneLine(end, /still waiting: .*404.*it goes on/);
    await world.agency.publish(GRANULE.name, { copyOf: GRANULE.path });
    const later = await freshet(["ingest", `${world.agency.url}${GRANULE.name}`], environment);
    assert.equal(later.code, 0, later.stderr);
    assert.match(later.stdout, /published in version|duplicate in version/);
  });

  test("ingest of a text file under a granule's name ends in quarantine with the reason", async () => {
    const name = GRANULE.name.replace("20170605", "20170611");
    await world.agency.publish(name, Buffer.from("Service Unavailable\n"));
    assertOneLine(await freshet(["ingest", `${world.agency.url}${name}`], environment), /quarantined .*looks like text/);
  });

  test("what is in quarantine is listed, shown and decided from the command line; twice is refused", async () => {
    const granule = ["ostia", "20170611T120000Z"];
    const listed = await freshet(["quarantine", "list", "--json"], environment);
    assert.deepEqual(
      listed.stdout
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as { key: string }).key),
      ["20170611T120000Z"],
    );
    assert.match((await freshet(["quarantine", "show", ...granule], environment)).stdout, /why {4}.*looks like text/);
    assertOneLine(await freshet(["quarantine", "skip", ...granule], environment), /--reason/, 2);
    const retried = await freshet(["quarantine", "retry", ...granule, "--reason", "once more"], environment);
    assert.match(retried.stdout, /tried again/, retried.stderr);
    await world.inStage(`granule:ostia:${granule[1]}`, "quarantined");
    const skipped = await freshet(["quarantine", "skip", ...granule, "--reason", "no granule"], environment);
    assert.match(skipped.stdout, /skipped/, skipped.stderr);
    assertOneLine(
      await freshet(["quarantine", "skip", ...granule, "--reason", "again"], environment),
      /not in quarantine.*skipped/,
      2,
    );
    const [revision] = await world.ledger.revisionsOf("ostia", granule[1] as string);
    assert.match(revision?.reason ?? "", /: no granule$/);
  });

  test("ingest of a name that no dataset knows, of a folder, of nothing", async () => {
    assertOneLine(await freshet(["ingest", `${world.agency.url}unknown.nc`], environment), /no dataset knows/);
    assertOneLine(await freshet(["ingest", folder], environment), /folder/);
    assertOneLine(await freshet(["ingest", join(folder, "*.nothing")], environment), /no file matches/);
  });

  test("ingest of a place outside the source's prefixes is nobody's", async () => {
    assertOneLine(await freshet(["ingest", GRANULE.path], environment), /no dataset knows this place/);
  });

  test("a webhook on a port in use", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as { port: number };
    const end = await freshet(["worker", "--webhook", String(port)], { ...environment, FRESHET_LOG: "silent" });
    taken.close();
    assertOneLine(end, /webhook cannot listen.*EADDRINUSE.*another port/, 2);
  });

  for (const [what, prepare, says] of [
    ["a full disk", fullDisk, /disk is full|no room|ENOSPC/],
    ["a read-only file system", readOnlyDisk, /cannot be written.*EROFS/],
    ["a folder that cannot be used", fileAsFolder, /folder cannot be used|cannot be written|ENOTDIR/],
  ] as const) {
    test(`a store on ${what} holds the granule back, says so, and loses nothing`, async (t) => {
      const place = prepare();
      if (place === undefined) return t.skip("it takes root to make a small file system");
      try {
        const home = join(folder, "stores-elsewhere");
        const name = `held-${place.name}`;
        const text = datasetYaml({ at: world.agency.url, home })
          .replace("name: ostia", `name: ${name}`)
          .replace(`"${home}/stores/ostia"`, `"${place.store}"`);
        const { datasets } = parseDatasetFile(text, { file: join(folder, "held.yaml") });
        await applyDatasets(
          world.client,
          world.ledger,
          datasets.filter((dataset) => dataset.name === name),
        );
        const end = await freshet(
          ["ingest", `${world.agency.url}${GRANULE.name}`, "--dataset", name, "--wait", "8s"],
          environment,
        );
        assertOneLine(end, /still waiting/);
        await world.until(async () => {
          const { raw } = await world.client.workflow.getHandle(`dataset:${name}`).describe();
          return says.test(raw.pendingActivities?.[0]?.lastFailure?.message ?? "");
        }, "the pending activity says it");
        assert.equal((await world.ledger.revisionsOf(name, GRANULE.key))[0]?.state, "ready");
        place.mend();
        await world.until(
          async () => (await world.ledger.revisionsOf(name, GRANULE.key))[0]?.state === "published",
          "it is published once there is room",
        );
      } finally {
        place.clean();
      }
    });
  }
});

function put(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

interface BadPlace {
  readonly name: string;
  readonly store: string;
  mend(): void;
  clean(): void;
}

/** A file system of 8 MiB with nothing left on it. */
function fullDisk(): BadPlace | undefined {
  const mount = join(folder, "full");
  mkdirSync(mount, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", mount], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  const ballast = join(mount, "ballast");
  writeFileSync(ballast, Buffer.alloc(8 * 1024 * 1024 - 16 * 1024));
  try {
    writeFileSync(join(mount, "rest"), Buffer.alloc(16 * 1024));
  } catch {
    // It is as full as it gets.
  }
  return {
    name: "full-disk",
    store: join(mount, "store"),
    mend: () => rmSync(ballast),
    clean: () => {
      execFileSync("umount", ["-l", mount], { stdio: "ignore" });
    },
  };
}

/** A file system that nobody may write to: root, too, is refused. */
function readOnlyDisk(): BadPlace | undefined {
  const mount = join(folder, "read-only");
  mkdirSync(mount, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "ro", "tmpfs", mount], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  return {
    name: "read-only",
    store: join(mount, "store"),
    mend: () => {
      execFileSync("mount", ["-o", "remount,rw", mount], { stdio: "ignore" });
    },
    clean: () => {
      execFileSync("umount", ["-l", mount], { stdio: "ignore" });
    },
  };
}

/** A store whose folder would have to be made below a file. */
function fileAsFolder(): BadPlace {
  const blocker = put("blocker", "a file");
  chmodSync(blocker, 0o444);
  return { name: "no-folder", store: join(blocker, "store"), mend: () => rmSync(blocker), clean: () => {} };
}
