import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { withLock } from "../../set-up/lock.mjs";

describe("the lock of a set-up step", () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freshet set-up "));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test("lets one process in at a time", async () => {
    const log = join(folder, "log");
    const work = `
      import { withLock } from ${JSON.stringify(new URL("../../set-up/lock.mjs", import.meta.url).href)};
      import { appendFileSync } from "node:fs";
      import { setTimeout as pause } from "node:timers/promises";
      await withLock(process.argv[1], async () => {
        appendFileSync(process.argv[2], "in ");
        await pause(100);
        appendFileSync(process.argv[2], "out ");
      });`;
    const runs = [1, 2, 3, 4].map(
      () =>
        new Promise((resolve) => {
          const args = ["--input-type=module", "-e", work, join(folder, "busy.lock"), log];
          spawn(process.execPath, args, { stdio: "ignore" }).on("close", resolve);
        }),
    );
    assert.deepEqual(await Promise.all(runs), [0, 0, 0, 0]);
    assert.equal(await readFile(log, "utf8"), "in out ".repeat(4));
  });

  test("is taken over from a process that is gone", async () => {
    const path = join(folder, "stale.lock");
    await writeFile(path, JSON.stringify({ pid: 2 ** 22 + 1, started: "1" }));
    assert.equal(await withLock(path, async () => "done"), "done");
  });

  test("is taken over from a process whose number another one has now", async () => {
    const path = join(folder, "reused.lock");
    await writeFile(path, JSON.stringify({ pid: process.pid, started: "1" }));
    assert.equal(await withLock(path, async () => "done"), "done");
  });

  test("is released when the work fails", async () => {
    const path = join(folder, "failed.lock");
    await assert.rejects(
      withLock(path, () => Promise.reject(new Error("no luck"))),
      /no luck/,
    );
    await assert.rejects(stat(path), { code: "ENOENT" });
  });
});
