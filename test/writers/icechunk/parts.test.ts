import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isFreshetError } from "../../../src/errors/index.ts";
import { onStep } from "../../../src/steps/index.ts";
import { groupMetadata, type IcechunkStore, type StoreChange } from "../../../src/writers/icechunk/index.ts";
import { missingPython } from "../../support/python.ts";
import { rootChange, storeIn } from "./a-store.ts";
import { inPython } from "./in-python.ts";
import { oneByOne, rowsChange } from "./made-changes.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "freshet-parts-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const isConflict = (error: unknown): boolean => isFreshetError(error, "conflict");

async function valuesAt(store: IcechunkStore, version: string, path = "v"): Promise<number[]> {
  const values: number[] = [];
  for (let chunk = 0; ; chunk++) {
    const bytes = await store.get(version, `${path}/c/${chunk}`);
    if (bytes === undefined) return values;
    values.push(bytes[0] as number);
  }
}

const branches = async (folder: string): Promise<string[]> =>
  inPython<string[]>(`print(json.dumps(sorted(open_repo(sys.argv[1]).list_branches())))`, folder);

describe("a publication in parts", () => {
  test("is one version: what it holds is all parts, and its parts are no versions", async () => {
    const store = await storeIn(join(root, "s"));
    const parent = await store.head();
    const steps: string[] = [];
    const stop = onStep((step) => steps.push(step));
    const version = await store
      .stage(parent, oneByOne([rowsChange(0, 2), rowsChange(2, 4), rowsChange(4, 5)]), "all of it")
      .finally(stop);
    assert.deepEqual(steps, Array(3).fill("publish: part flushed"));
    assert.equal(await store.head(), parent);
    await store.publish(parent, version);
    assert.deepEqual(await valuesAt(store, version), [0, 1, 2, 3, 4]);
    const listed = await store.versions(10);
    assert.deepEqual(
      listed.map(({ id, message, parent }) => [id, message, parent]),
      [[version, "all of it", parent]],
    );
    assert.deepEqual(await store.version(version), listed[0]);
    // The commits under it are parts, each by itself no version.
    const { IcechunkStore } = await import("../../../src/writers/icechunk/index.ts");
    const again = await IcechunkStore.open({ folder: store.folder, prefixes: [], split: { dimension: "time", chunks: 100 } });
    assert.ok(again !== undefined && (await again.isAncestor(parent, version)));
  });

  test("leaves no branch behind, and Python reads it", { skip: missingPython() }, async () => {
    const store = await storeIn(join(root, "s"));
    const parent = await store.head();
    const version = await store.stage(parent, oneByOne([rowsChange(0, 2), rowsChange(2, 4), rowsChange(4, 5)]), "all of it");
    await store.publish(parent, version);
    assert.deepEqual(await branches(store.folder), ["main"]);
    const read = await inPython<Record<string, number[]>>(
      `print(json.dumps(contents(open_repo(sys.argv[1]), sys.argv[2])))`,
      store.folder,
      version,
    );
    assert.deepEqual(read, { v: [0, 1, 2, 3, 4] });
    const messages = await inPython<string[]>(
      `print(json.dumps([s.message for s in open_repo(sys.argv[1]).ancestry(branch="main")]))`,
      store.folder,
    );
    assert.deepEqual(messages, [
      "all of it",
      "part 2 of a publication: all of it",
      "part 1 of a publication: all of it",
      "Repository initialized",
    ]);
  });

  test("one part, none, and parts that change nothing", async () => {
    const store = await storeIn(join(root, "s"));
    for (const [parts, values] of [
      [[rowsChange(0, 1)], [0]],
      [[], [0]],
      [
        [rowsChange(0, 1), rowsChange(0, 1), rowsChange(1, 2), rowsChange(1, 2)],
        [0, 1],
      ],
    ] as const) {
      const parent = await store.head();
      const version = await store.stage(parent, oneByOne(parts), `${parts.length} parts`);
      await store.publish(parent, version);
      assert.deepEqual(await valuesAt(store, version), values);
      assert.equal((await store.versions(1))[0]?.message, `${parts.length} parts`);
    }
    assert.equal((await store.versions(10)).length, 3);
  });

  for (const [what, given] of [
    ["at once", (change: StoreChange) => change],
    ["in parts", (change: StoreChange) => oneByOne([change, rowsChange(1, 2, "/kept")])],
  ] as const)
    test(`fresh content, ${what}: nothing of what was there is left`, async () => {
      const store = await storeIn(join(root, "s"));
      let parent = await store.head();
      const old: StoreChange = { groups: [{ path: "/", metadata: groupMetadata(new Map()) }], arrays: [] };
      const arrays = [rowsChange(0, 5, "/kept"), rowsChange(0, 5, "/gone")].flatMap((change) => change.arrays);
      const before = await store.stage(parent, { ...old, arrays }, "before");
      await store.publish(parent, before);
      parent = before;
      const change = rowsChange(0, 1, "/kept");
      const version = await store.stage(parent, given(change), "after", () => undefined, { fresh: true });
      assert.deepEqual(await valuesAt(store, parent, "gone"), [0, 1, 2, 3, 4]);
      await store.publish(parent, version);
      assert.deepEqual(await valuesAt(store, version, "kept"), what === "at once" ? [0] : [0, 1]);
      assert.equal(await store.get(version, "gone/zarr.json"), undefined);
      assert.equal(await store.get(version, "gone/c/0"), undefined);
      assert.deepEqual(await valuesAt(store, before, "kept"), [0, 1, 2, 3, 4]);
    });

  test("a message that reads like a part's is refused", async () => {
    const store = await storeIn(join(root, "s"));
    await assert.rejects(store.stage(await store.head(), rootChange({}), "part 2 of a publication: x"), (error) =>
      isFreshetError(error, "usage"),
    );
  });
});

describe("a publication in parts that somebody gets ahead of", () => {
  test("conflicts at its beginning, between two parts, and at the swap", async () => {
    const store = await storeIn(join(root, "s"));
    const other = await storeIn(join(root, "s"));
    const first = await store.head();
    const overtake = async (n: number): Promise<void> => {
      const head = await other.head();
      await other.publish(head, await other.stage(head, rootChange({ n }), `other ${n}`));
    };
    await overtake(1);
    await assert.rejects(store.stage(first, oneByOne([rowsChange(0, 1), rowsChange(1, 2)]), "x"), isConflict);

    const second = await store.head();
    let asked = 0;
    async function* overtaken(): AsyncGenerator<StoreChange> {
      for (let from = 0; from < 10; from++) {
        asked++;
        if (from === 2) await overtake(2);
        yield rowsChange(from, from + 1);
      }
    }
    await assert.rejects(store.stage(second, overtaken(), "x"), isConflict);
    assert.equal(asked, 3);

    const third = await store.head();
    const version = await store.stage(third, oneByOne([rowsChange(0, 1), rowsChange(1, 2)]), "x");
    await overtake(3);
    const head = await store.head();
    await assert.rejects(store.publish(third, version), isConflict);
    assert.equal(await store.head(), head);
    assert.deepEqual(
      (await store.versions(10)).map(({ message }) => message),
      ["other 3", "other 2", "other 1"],
    );
  });

  test("an error of whoever makes the parts comes through, and the next attempt succeeds", async () => {
    const store = await storeIn(join(root, "s"));
    const parent = await store.head();
    async function* failing(): AsyncGenerator<StoreChange> {
      yield rowsChange(0, 1);
      yield rowsChange(1, 2);
      throw new RangeError("of the maker");
    }
    await assert.rejects(store.stage(parent, failing(), "x"), /of the maker/);
    assert.equal(await store.head(), parent);
    await store.publish(parent, await store.stage(parent, oneByOne([rowsChange(0, 1), rowsChange(1, 2)]), "x"));
    assert.deepEqual(await valuesAt(store, await store.head()), [0, 1]);
  });

  test("of two attempts at the same publication at once, one at most is published, and it is whole", async () => {
    const store = await storeIn(join(root, "s"));
    const other = await storeIn(join(root, "s"));
    const parent = await store.head();
    const parts = Array.from({ length: 8 }, (_, index) => rowsChange(index, index + 1));
    const attempt = async (by: IcechunkStore): Promise<string> => {
      const version = await by.stage(parent, oneByOne(parts), "the same");
      await by.publish(parent, version);
      return version;
    };
    const outcomes = await Promise.allSettled([attempt(store), attempt(other)]);
    for (const outcome of outcomes) if (outcome.status === "rejected") assert.ok(isConflict(outcome.reason), outcome.reason);
    const done = outcomes.filter(({ status }) => status === "fulfilled");
    assert.ok(done.length <= 1);
    if (done.length === 0) await attempt(store);
    assert.deepEqual(await valuesAt(store, await store.head()), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert.equal((await store.versions(10)).length, 1);
  });

  test("what a killed attempt left is taken away by the next; other branches stay", { skip: missingPython() }, async () => {
    const folder = join(root, "s");
    const store = await storeIn(folder);
    await inPython(`open_repo(sys.argv[1]).create_branch("freshet", sys.argv[2]); print(0)`, folder, await store.head());
    const program = fileURLToPath(new URL("./parts-process.ts", import.meta.url));
    const child = spawn(process.execPath, [program, folder, "3"], { stdio: "inherit" });
    assert.deepEqual(await once(child, "exit"), [null, "SIGKILL"]);
    const left = await branches(folder);
    assert.equal(left.length, 3);
    assert.match(left[1] as string, /^freshet-candidate-/);
    const next = spawn(process.execPath, [program, folder, "0"], { stdio: "inherit" });
    assert.deepEqual(await once(next, "exit"), [0, null]);
    assert.deepEqual(await branches(folder), ["freshet", "main"]);
    assert.deepEqual(await valuesAt(store, await store.head()), [0, 1, 2, 3, 4]);
  });
});
