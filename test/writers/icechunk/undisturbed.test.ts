import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { missingPython } from "../../support/python.ts";
import { type GrowingStore, growth, makeSource, openGrowing, publishChange } from "./growing-store.ts";
import { inPython } from "./in-python.ts";
import { manyCommits, type Stretch } from "./many-commits.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "freshet-undisturbed-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Reads all of the newest version, over and over until a file appears, and counts. */
const READER = `
rounds, wrong, lengths = 0, [], set()
while not os.path.exists(sys.argv[2]) and rounds < 2000:
    rounds += 1
    try:
        group = zarr.open_group(open_repo(sys.argv[1]).readonly_session("main").store, mode="r")
        time, v = group["time"][:], group["v0"][:]
        if not (time == np.arange(len(time))).all() or not (v.ravel() == np.arange(v.size) * 3).all() or len(v) != len(time):
            wrong.append(f"values of {len(time)} steps")
        lengths.add(len(time))
    except Exception as error:
        wrong.append(repr(error)[:300])
print(json.dumps(dict(rounds=rounds, wrong=wrong[:5], lengths=len(lengths))))`;

describe("while upkeep runs over and over", () => {
  test("a writer publishes all it has, and Python reads the newest version whole every time", {
    skip: missingPython(),
    timeout: 240_000,
  }, async () => {
    const source = await makeSource(join(root, "in"));
    const prefix = pathToFileURL(join(root, "in")).href.concat("/");
    const growing: GrowingStore = { folder: join(root, "s"), prefix, arrays: 1, split: 10, source };
    const store = await openGrowing(growing);
    for (let at = 0; at < 20; at++) await publishChange(store, growth(growing, at, at + 1), `before ${at}`);
    const stop = join(root, "stop");
    const reader = inPython<{ rounds: number; wrong: string[]; lengths: number }>(READER, growing.folder, stop);
    const program = fileURLToPath(new URL("./growing-process.ts", import.meta.url));
    const writer = spawn(
      process.execPath,
      [program, growing.folder, prefix, source.name, String(source.lastModifiedMs), "20", "120"],
      {
        stdio: ["ignore", "inherit", "inherit"],
      },
    );
    const written = once(writer, "exit");
    let isWriting = true;
    written.then(
      () => {
        isWriting = false;
      },
      () => undefined,
    );
    let removed = 0;
    let turns = 0;
    while (isWriting) {
      removed += (await store.upkeep({ retain: { newest: 15 }, graceMs: 250 })).removed.count;
      turns++;
    }
    await writeFile(stop, "");
    assert.deepEqual(await written, [0, null]);
    const { rounds, wrong, lengths } = await reader;
    assert.deepEqual(wrong, []);
    assert.ok(rounds > 5 && lengths > 2 && turns > 3, `${rounds} rounds over ${lengths} lengths beside ${turns} upkeeps`);
    assert.ok(removed > 200, `${removed} objects`);
    assert.equal((await store.versions(1))[0]?.message, "step 119");
  });

  test("the store's size stays bounded, however many commits there have been", async () => {
    const growing = { folder: join(root, "s"), prefix: "file:///nowhere/", arrays: 1, split: 100 };
    const stretches: Stretch[] = [];
    for await (const stretch of manyCommits(growing, 300, 60)) stretches.push(stretch);
    const [first, ...more] = stretches as [Stretch, ...Stretch[]];
    for (const { afterBytes, afterFiles, commits } of more) {
      // Ten versions, each with a page of up to 40 KB and a chunk of the coordinate, and the list of all commits.
      assert.ok(afterBytes < 10 * 60_000 + commits * 150, `${afterBytes} bytes after ${commits} commits`);
      assert.ok(afterFiles < first.afterFiles + 20, `${afterFiles} files after ${commits} commits`);
    }
    const store = await openGrowing(growing);
    const versions = await store.versions(1000);
    assert.equal(versions.length, 300);
    assert.equal(versions.filter(({ expired }) => !expired).length, 10);
    const [newest] = versions;
    const oldest = versions.at(-1);
    assert.ok(newest !== undefined && oldest !== undefined);
    assert.ok(await store.isAncestor(oldest.id, newest.id));
    assert.ok(!(await store.isAncestor(newest.id, oldest.id)));
  });
});
