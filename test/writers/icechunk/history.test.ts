import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { isFreshetError } from "../../../src/errors/index.ts";
import { IcechunkStore } from "../../../src/writers/icechunk/index.ts";
import { StoreFolder } from "../../../src/writers/icechunk/store-folder.ts";
import { missingPython } from "../../support/python.ts";
import { rootChange, storeIn } from "./a-store.ts";
import { publishChange } from "./growing-store.ts";
import { inPython } from "./in-python.ts";
import { oneByOne, rowsChange } from "./made-changes.ts";

let root = "";
let folder = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "freshet-history-"));
  folder = join(root, "s");
});
afterEach(() => rm(root, { recursive: true, force: true }));

const isConflict = (error: unknown): boolean => isFreshetError(error, "conflict");

describe("the history of a store", () => {
  test("a version is known by its id, staged or published; parts, the empty snapshot and unknown ids are none", async () => {
    const store = await storeIn(folder);
    const empty = await store.head();
    const one = await publishChange(store, rootChange({ n: 1 }), "one");
    const staged = await store.stage(one, oneByOne([rowsChange(0, 1), rowsChange(1, 2), rowsChange(2, 3)]), "staged");
    const found = await store.version(staged);
    assert.deepEqual([found?.id, found?.parent, found?.message, found?.expired], [staged, one, "staged", false]);
    assert.equal((await store.version(one))?.parent, empty);
    assert.equal(await store.version(empty), undefined);
    assert.equal(await store.version("0000000000000000000G"), undefined);
    assert.equal(await store.version("no id at all"), undefined);
    assert.deepEqual(
      (await store.versions(9)).map(({ id }) => id),
      [one],
    );
    for (const [id, of, expected] of [
      [empty, one, true],
      [one, staged, true],
      [one, one, true],
      [staged, one, false],
      [one, empty, false],
      ["0000000000000000000G", one, false],
      [one, "0000000000000000000G", false],
    ] as const)
      assert.equal(await store.isAncestor(id, of), expected);
  });

  test("a branch that somebody moved back is noticed: what was newest is not among what it was made from", {
    skip: missingPython(),
  }, async () => {
    const store = await storeIn(folder);
    const one = await publishChange(store, rootChange({ n: 1 }), "one");
    const two = await publishChange(store, rootChange({ n: 2 }), "two");
    const staged = await store.stage(two, rootChange({ n: 3 }), "three");
    assert.ok(await store.isAncestor(two, await store.head()));
    await inPython(`open_repo(sys.argv[1]).reset_branch("main", sys.argv[2]); print(0)`, folder, one);
    assert.equal(await store.head(), one);
    assert.ok(!(await store.isAncestor(two, await store.head())));
    // Nothing that was made before is put over it.
    await assert.rejects(store.publish(two, staged), isConflict);
    await assert.rejects(store.stage(two, rootChange({ n: 3 }), "three"), isConflict);
    assert.equal(await store.head(), one);
  });

  test("a version of somebody else on `main` is noticed: it is no version that we published, and it stays", {
    skip: missingPython(),
  }, async () => {
    const store = await storeIn(folder);
    const one = await publishChange(store, rootChange({ n: 1 }), "one");
    const theirs = await inPython<string>(
      `session = open_repo(sys.argv[1]).writable_session("main")
zarr.create_array(session.store, name="theirs", data=np.arange(3, dtype="int64"))
print(json.dumps(session.commit("theirs")))`,
      folder,
    );
    assert.equal(await store.head(), theirs);
    assert.ok(await store.isAncestor(one, theirs));
    assert.equal((await store.version(theirs))?.message, "theirs");
    await assert.rejects(store.stage(one, rootChange({ n: 2 }), "two"), isConflict);
    assert.ok((await store.get(theirs, "theirs/zarr.json")) !== undefined);
  });

  test("a repository that Python made is opened as it is: its content shows that it is not ours, and nothing of it changes", {
    skip: missingPython(),
  }, async () => {
    const head = await inPython<string>(
      `repo = icechunk.Repository.create(icechunk.local_filesystem_storage(sys.argv[1]))
session = repo.writable_session("main")
zarr.create_array(session.store, name="theirs", data=np.arange(3, dtype="int64"))
print(json.dumps(session.commit("theirs")))`,
      folder,
    );
    const before = await readFile(join(folder, "repo"));
    const store = await storeIn(folder);
    assert.equal(await store.head(), head);
    assert.equal(await store.get(head, "_freshet/zarr.json"), undefined);
    assert.ok((await store.get(head, "zarr.json")) !== undefined);
    assert.equal((await store.version(head))?.message, "theirs");
    // Not even an upkeep that keeps the least takes anything from them.
    const { removed } = await store.upkeep({ retain: [], graceMs: 3_600_000 });
    assert.equal(removed.count, 0);
    assert.deepEqual(await readFile(join(folder, "repo")), before);
  });

  test("a repository in Icechunk's first format is read, and left alone by upkeep", { skip: missingPython() }, async () => {
    const head = await inPython<string>(
      `repo = icechunk.Repository.create(icechunk.local_filesystem_storage(sys.argv[1]), spec_version=1)
session = repo.writable_session("main")
zarr.create_array(session.store, name="theirs", data=np.arange(3, dtype="int64"))
print(json.dumps(session.commit("theirs")))`,
      folder,
    );
    const store = await storeIn(folder);
    assert.equal(await store.head(), head);
    await assert.rejects(store.upkeep({ retain: [], graceMs: 0 }), (error) => isFreshetError(error, "unsupported"));
    assert.ok((await store.get(head, "theirs/c/0")) !== undefined);
  });

  test("a broken mark of the last upkeep stops publications by name", async () => {
    const store = await storeIn(folder);
    const parent = await store.head();
    const version = await store.stage(parent, rootChange({}), "one");
    await writeFile(join(folder, ".swept"), "yesterday");
    await assert.rejects(
      store.publish(parent, version),
      (error) => isFreshetError(error, "corrupt") && /yesterday/.test(error.message),
    );
    await rm(join(folder, ".swept"));
    await store.publish(parent, version);
    assert.equal(
      (await IcechunkStore.open({ folder, prefixes: [], split: { dimension: "time", chunks: 1 } })) !== undefined,
      true,
    );
  });
});

describe("the folder of a store", () => {
  test("a copy keeps what the original was when it is replaced", async () => {
    const files = new StoreFolder(folder);
    await files.write("repo", Buffer.from("one"));
    assert.ok(await files.copy("repo", "overwritten/repo.1"));
    await files.write("repo", Buffer.from("two"));
    assert.equal(String(await files.read("overwritten/repo.1")), "one");
    // Where there is something already, its content is replaced.
    assert.ok(await files.copy("repo", "overwritten/repo.1"));
    assert.equal(String(await files.read("overwritten/repo.1")), "two");
    assert.equal(await files.copy("none", "overwritten/repo.2"), false);
    assert.equal(await files.read("overwritten/repo.2"), undefined);
    await assert.rejects(files.copy("repo", "../out"), (error) => isFreshetError(error, "storage"));
  });

  test("its time does not go back, and what is written after it is not older", async () => {
    const files = new StoreFolder(folder);
    for (let round = 0; round < 50; round++) {
      const now = await files.now();
      await files.write("a", Buffer.from("x"));
      assert.ok(((await files.facts("a"))?.changedMs as number) >= now);
    }
    const before = await files.now();
    assert.ok(await files.touch("a"));
    assert.ok(((await files.facts("a"))?.changedMs as number) >= before);
    assert.equal(await files.touch("none"), false);
    assert.equal(await files.facts("none"), undefined);
  });
});
