import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Agency, startAgency } from "../../src/cli/demo/agency.ts";
import { clearMark, openDemoFolder } from "../../src/cli/demo/demo-folder.ts";
import { findTemporal } from "../../src/cli/demo/find-temporal.ts";
import { AGENCY_GRANULES, type AgencyGranule } from "../../src/cli/demo/granules.ts";
import { shellWord } from "../../src/cli/shell-word.ts";
import { isFreshetError } from "../../src/errors/index.ts";

describe("the demo's agency", () => {
  const granule = AGENCY_GRANULES[0] as AgencyGranule;
  let folder = "";
  let agency: Agency;
  let url = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freshet agency "));
    agency = await startAgency({ folder, port: 0 });
    url = `${agency.at("ostia")}${granule.name}`;
  });
  after(async () => {
    await agency.close();
    await rm(folder, { recursive: true });
  });

  test("has nothing before it publishes", async () => {
    assert.equal((await fetch(url)).status, 404);
    assert.equal(await agency.has(granule), false);
  });

  test("serves ranges, and holds its answers to what readers expect of the file", async () => {
    await agency.publish(granule);
    const part = await fetch(url, { headers: { range: "bytes=0-3" } });
    assert.deepEqual([part.status, await part.text()], [206, "CDF\u0001"]);
    const changed = new Date(part.headers.get("last-modified") as string);
    assert.ok(part.headers.has("etag"));
    const asOf = async (date: Date): Promise<number> =>
      (await fetch(url, { headers: { range: "bytes=0-3", "if-unmodified-since": date.toUTCString() } })).status;
    assert.equal(await asOf(changed), 206);
    assert.equal(await asOf(new Date(changed.getTime() - 60_000)), 412);
  });

  test("announces with size and sha256, and once more while it is not taken", async () => {
    const bodies: { uri: string; size: number; checksum: { value: string } }[] = [];
    const webhook = createServer((request, response) => {
      let text = "";
      request.on("data", (chunk) => {
        text += chunk;
      });
      request.on("end", () => {
        bodies.push(JSON.parse(text));
        response.statusCode = bodies.length === 1 ? 503 : 202;
        response.end(JSON.stringify({ granules: [{ dataset: "ostia", key: "k" }] }));
      });
    });
    await new Promise<void>((resolve) => webhook.listen(0, "127.0.0.1", resolve));
    const key = await agency.announce(granule, `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/announce`);
    webhook.close();
    assert.equal(key, "k");
    assert.equal(bodies.length, 2);
    assert.deepEqual([bodies[1]?.uri, bodies[1]?.size], [url, 4_160_584]);
    assert.equal(bodies[1]?.checksum.value, "42ec92b2102376d2cac5d611232a369abc7b2147bdcae5a1d8624e13e4cb298a");
  });
});

describe("the demo's folder", () => {
  let home = "";
  before(async () => {
    home = await mkdtemp(join(tmpdir(), "freshet demo-folder "));
  });
  after(() => rm(home, { recursive: true }));

  test("is made afresh when it is a demo's, and goes on when it is named", async () => {
    const path = join(home, "a", "demo");
    assert.equal((await openDemoFolder({ path, isFresh: true })).isContinued, false);
    await writeFile(join(path, "ledger.db"), "");
    await clearMark(path, { temporal: 1, ui: 2, agency: 3, webhook: 4 });
    const named = await openDemoFolder({ path, isFresh: false });
    assert.deepEqual([named.isContinued, named.ports?.agency], [true, 3]);
    assert.ok((await readdir(path)).includes("ledger.db"));
    await openDemoFolder({ path, isFresh: true });
    assert.deepEqual(await readdir(path), ["freshet-demo.json"]);
  });

  test("is left alone when no demo has made it", async () => {
    const path = join(home, "own");
    await mkdir(path);
    await writeFile(join(path, "thesis.txt"), "");
    for (const isFresh of [true, false]) {
      await assert.rejects(openDemoFolder({ path, isFresh }), /not a demo's, so it is left alone: found thesis\.txt/);
    }
    assert.deepEqual(await readdir(path), ["thesis.txt"]);
  });

  test("is left alone while a demo runs in it", async () => {
    const path = join(home, "running");
    await mkdir(path);
    await writeFile(join(path, "freshet-demo.json"), JSON.stringify({ pid: process.ppid }));
    await assert.rejects(openDemoFolder({ path, isFresh: true }), /a demo is running in this folder: found process \d+/);
  });

  test("cannot be below a file: one clear line", async () => {
    const path = join(home, "file");
    await writeFile(path, "");
    await assert.rejects(openDemoFolder({ path: join(path, "demo"), isFresh: true }), (error) =>
      isFreshetError(error, "storage"),
    );
  });
});

describe("the demo's Temporal", () => {
  test("is the server that TEMPORAL_ADDRESS names, before a CLI", () => {
    const environment = { TEMPORAL_ADDRESS: "host:7233", TEMPORAL_CLI_PATH: process.execPath };
    assert.deepEqual(findTemporal(environment, {}), { kind: "address", address: "host:7233" });
  });

  test("is else the CLI that is named, or that set-up has found", () => {
    const cli = { kind: "cli", path: process.execPath } as const;
    assert.deepEqual(findTemporal({ TEMPORAL_CLI_PATH: process.execPath }, {}), cli);
    assert.deepEqual(findTemporal({ PATH: "" }, { temporal: cli }), cli);
  });

  test("that is nowhere is said with what to do", () => {
    assert.throws(() => findTemporal({ PATH: "" }, {}), /neither TEMPORAL_ADDRESS nor a Temporal CLI\. Run set-up/);
    assert.throws(() => findTemporal({ TEMPORAL_CLI_PATH: "/nowhere" }, {}), /TEMPORAL_CLI_PATH names \/nowhere/);
  });
});

test("a shell takes a word of ours as it is", () => {
  assert.equal(shellWord("/usr/bin/node"), "/usr/bin/node");
  assert.equal(shellWord("it's $HOME"), "'it'\\''s $HOME'");
  assert.equal(shellWord(""), "''");
});
