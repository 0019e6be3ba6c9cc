import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Ledger, openLedger } from "../../src/ledger/index.ts";
import { missingPostgres, TestPostgres } from "../support/postgres.ts";

const folder = mkdtempSync(join(tmpdir(), "freshet-ledger-processes-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function startWriter(path: string, prefix: string, count: number): ChildProcess {
  const script = fileURLToPath(new URL("writer-process.ts", import.meta.url));
  return spawn(process.execPath, [script, path, prefix, String(count)], { stdio: ["ignore", "pipe", "inherit"] });
}

/** The events of all granules have the numbers from 1 on, each once, and each revision the number of its last. */
async function assertWhole(ledger: Ledger): Promise<void> {
  const seqs: number[] = [];
  const all = await ledger.granules("ostia", { limit: 1e6 });
  const counts = Object.values(await ledger.counts("ostia"));
  assert.equal(
    counts.reduce((sum, count) => sum + count),
    all.length,
  );
  for (const { key, changedSeq } of all) {
    const own = (await ledger.history("ostia", key)).map(({ seq }) => seq);
    assert.equal(own.at(-1), changedSeq);
    seqs.push(...own);
  }
  assert.deepEqual(
    seqs.sort((a, b) => a - b),
    seqs.map((_, index) => index + 1),
  );
}

/** What holds when several processes use one ledger, whatever its database. */
function processesContract(name: string, newUrl: () => Promise<string>): void {
  describe(`a ledger on ${name} that several processes use`, () => {
    test("keeps what all of them write, each step once, also when they make it at the same moment", async () => {
      const url = await newUrl();
      const writers = ["a", "b", "c"].map((prefix) => startWriter(url, prefix, 20));
      const codes = await Promise.all(writers.map((writer) => once(writer, "exit").then(([code]) => code)));
      assert.deepEqual(codes, [0, 0, 0]);
      const ledger = await openLedger(url);
      assert.equal((await ledger.counts("ostia")).ready, 61);
      assert.equal(await ledger.lastSeq("ostia"), 122);
      await assertWhole(ledger);
      await ledger.close();
    });

    test("has every row that was acknowledged before its writer was killed", async () => {
      const url = await newUrl();
      const writer = startWriter(url, "k", 1e6);
      const acknowledged: string[] = [];
      for await (const line of createInterface({ input: writer.stdout as NodeJS.ReadableStream })) {
        acknowledged.push(line);
        if (acknowledged.length === 25) writer.kill("SIGKILL");
      }
      await assertAcknowledged(url, acknowledged, 25);
    });
  });
}

async function assertAcknowledged(url: string, acknowledged: readonly string[], atLeast: number): Promise<void> {
  assert.ok(acknowledged.length >= atLeast, `${acknowledged.length}`);
  const ledger = await openLedger(url);
  for (const key of acknowledged) {
    assert.equal((await ledger.revision({ dataset: "ostia", key, identity: "etag:1" }))?.state, "ready", key);
  }
  await assertWhole(ledger);
  await ledger.close();
}

let files = 0;
processesContract("SQLite", async () => join(folder, `${++files}.db`));

describe("PostgreSQL", { skip: missingPostgres() }, () => {
  let postgres: TestPostgres;
  before(async () => {
    postgres = await TestPostgres.start();
  });
  after(() => postgres.stop());
  processesContract("PostgreSQL", () => postgres.createDatabase());

  test("a server that is killed in the middle of writes has every row that was acknowledged, and its writers go on", async () => {
    const url = await postgres.createDatabase();
    await (await openLedger(url)).close();
    const writers = ["a", "b"].map((prefix) => startWriter(url, prefix, 60));
    const ended = writers.map((writer) => once(writer, "exit").then(([code]) => code));
    const acknowledged: string[] = [];
    let killed = false;
    const reading = writers.map(async (writer) => {
      for await (const line of createInterface({ input: writer.stdout as NodeJS.ReadableStream })) {
        acknowledged.push(line);
        if (acknowledged.length < 30 || killed) continue;
        killed = true;
        await postgres.kill();
        await postgres.startServer();
      }
    });
    await Promise.all(reading);
    assert.deepEqual(await Promise.all(ended), [0, 0]);
    assert.ok(killed);
    await assertAcknowledged(url, acknowledged, 120);
  });
});
