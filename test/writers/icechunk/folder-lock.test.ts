import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { FolderLock } from "../../../src/writers/icechunk/folder-lock.ts";

let folder = "";
let path = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "freshet-lock-"));
  path = join(folder, ".lock");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A pid that no process has. */
function deadPid(): number {
  return spawnSync(process.execPath, ["-e", ""]).pid;
}

/** Whether the lock was not given within a while. */
async function isKeptOut(lock: FolderLock): Promise<boolean> {
  const won = lock.hold(async () => "won");
  const first = await Promise.race([won, sleep(300).then(() => "kept out")]);
  await rm(path, { force: true });
  await won;
  return first === "kept out";
}

describe("the lock of a store's folder", () => {
  test("holders follow each other, also of different lock objects, and nothing is left behind", async () => {
    const locks = [new FolderLock(path), new FolderLock(path), new FolderLock(path)];
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        (locks[index % 3] as FolderLock).hold(async () => {
          most = Math.max(most, ++inside);
          await sleep(1);
          inside--;
        }),
      ),
    );
    assert.equal(most, 1);
    assert.ok(!existsSync(path));
  });

  test("work that fails gives the lock back, and its error to the caller", async () => {
    const lock = new FolderLock(path);
    await assert.rejects(
      lock.hold(async () => {
        throw new Error("of the work");
      }),
      /of the work/,
    );
    assert.equal(await lock.hold(async () => "next"), "next");
  });

  test("the lock of a process that is gone is taken over by one after the other", async () => {
    await writeFile(path, `${hostname()} ${deadPid()} 123`);
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 10 }, () =>
        new FolderLock(path).hold(async () => {
          most = Math.max(most, ++inside);
          await sleep(2);
          inside--;
        }),
      ),
    );
    assert.equal(most, 1);
  });

  test("a dead lock that several processes find at once is broken without two of them inside", async () => {
    await writeFile(path, `${hostname()} ${deadPid()} 123`);
    const log = join(folder, "log");
    const url = new URL("../../../src/writers/icechunk/folder-lock.ts", import.meta.url).href;
    const program = `
      import { appendFileSync } from "node:fs";
      const { FolderLock } = await import(${JSON.stringify(url)});
      for (let turn = 0; turn < 10; turn++) await new FolderLock(process.argv[1]).hold(async () => {
        appendFileSync(process.argv[2], "+" + process.pid + "\\n");
        await new Promise((resolve) => setTimeout(resolve, 1));
        appendFileSync(process.argv[2], "-" + process.pid + "\\n");
      });`;
    const children = [1, 2, 3].map(() =>
      spawn(process.execPath, ["--input-type=module", "-e", program, path, log], { stdio: "inherit" }),
    );
    const codes = await Promise.all(children.map(async (child) => (await once(child, "exit"))[0] as number));
    assert.deepEqual(codes, [0, 0, 0]);
    const lines = (await readFile(log, "utf8")).trim().split("\n");
    assert.equal(lines.length, 60);
    for (let at = 0; at < lines.length; at += 2) assert.equal(lines[at + 1], (lines[at] as string).replace("+", "-"));
  });

  test("the lock of a living process is respected", async () => {
    const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"]);
    try {
      await writeFile(path, `${hostname()} ${child.pid}`);
      assert.ok(await isKeptOut(new FolderLock(path)));
    } finally {
      child.kill();
    }
  });

  test("a pid that another process has got meanwhile does not keep a dead lock alive", {
    skip: process.platform !== "linux",
  }, async () => {
    // As in a container that was started again: the same host name, the same pid, and it is ours.
    await writeFile(path, `${hostname()} ${process.pid} 1`);
    const won = await Promise.race([new FolderLock(path).hold(async () => "won"), sleep(2_000).then(() => "kept out")]);
    assert.equal(won, "won");
  });

  test("another host's lock, or one without an owner, is respected while it is young and broken when it is old", async () => {
    for (const owner of ["elsewhere 1 1", ""]) {
      await writeFile(path, owner);
      assert.ok(await isKeptOut(new FolderLock(path)));
      await writeFile(path, owner);
      const longAgo = Date.now() / 1000 - 40;
      await utimes(path, longAgo, longAgo);
      assert.equal(await new FolderLock(path).hold(async () => "won"), "won");
    }
  });
});
