import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Ledger, openLedger } from "../../src/ledger/index.ts";

const folder = mkdtempSync(join(tmpdir(), "freshet-ledger-processes-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function startWriter(path: string, prefix: string, count: number): ChildProcess {
  const script = fileURLToPath(new URL("writer-process.ts", import.meta.url));
  return spawn(process.execPath, [script, path, prefix, String(count)], { stdio: ["ignore", "pipe", "inherit"] });
}

/** The events of all granules have the numbers from 1 on, each once, and each revision the number of its last. */
async function assertWhole(ledger: Ledger): Promise<void> {
  const seqs: number[] = [];
  for (const { key, changedSeq } of await ledger.granules("ostia", { limit: 1e6 })) {
    const own = (await ledger.history("ostia", key)).map(({ seq }) => seq);
    assert.equal(own.at(-1), changedSeq);
    seqs.push(...own);
  }
  assert.deepEqual(
    seqs.sort((a, b) => a - b),
    seqs.map((_, index) => index + 1),
  );
}

describe("a ledger that several processes use", () => {
  test("keeps what all of them write, each step once, also when they make it at the same moment", async () => {
    const path = join(folder, "together.db");
    const writers = ["a", "b", "c"].map((prefix) => startWriter(path, prefix, 20));
    const codes = await Promise.all(writers.map((writer) => once(writer, "exit").then(([code]) => code)));
    assert.deepEqual(codes, [0, 0, 0]);
    const ledger = await openLedger(path);
    assert.equal((await ledger.counts("ostia")).ready, 61);
    assert.equal(await ledger.lastSeq("ostia"), 122);
    await assertWhole(ledger);
    await ledger.close();
  });

  test("has every row that was acknowledged before its writer was killed", async () => {
    const path = join(folder, "killed.db");
    const writer = startWriter(path, "k", 1e6);
    const acknowledged: string[] = [];
    for await (const line of createInterface({ input: writer.stdout as NodeJS.ReadableStream })) {
      acknowledged.push(line);
      if (acknowledged.length === 25) writer.kill("SIGKILL");
    }
    assert.ok(acknowledged.length >= 25);
    const ledger = await openLedger(path);
    for (const key of acknowledged) {
      assert.equal((await ledger.revision({ dataset: "ostia", key, identity: "etag:1" }))?.state, "ready", key);
    }
    await assertWhole(ledger);
    await ledger.close();
  });
});
