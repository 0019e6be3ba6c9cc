import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { zstdDecompressSync } from "node:zlib";
import { isFreshetError } from "../../../src/errors/index.ts";
import { onStep } from "../../../src/steps/index.ts";
import { IcechunkStore, type UpkeepReport } from "../../../src/writers/icechunk/index.ts";
import { missingPython } from "../../support/python.ts";
import { rootChange, storeIn } from "./a-store.ts";
import { type GrowingStore, growth, openGrowing, publishChange } from "./growing-store.ts";
import { inPython } from "./in-python.ts";
import { oneByOne, rowsChange } from "./made-changes.ts";

let root = "";
let growing: GrowingStore;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "freshet-upkeep-"));
  growing = { folder: join(root, "s"), prefix: "file:///nowhere/", arrays: 2, split: 10 };
});
afterEach(() => rm(root, { recursive: true, force: true }));

const isConflict = (error: unknown): boolean => isFreshetError(error, "conflict");
const isCorrupt = (error: unknown): boolean => isFreshetError(error, "corrupt");
const isExpired = (error: unknown): boolean => isFreshetError(error, "expired");

/** Publishes versions of growing length, and answers them, oldest first. */
async function grow(store: IcechunkStore, versions: number, of = growing): Promise<string[]> {
  const made: string[] = [];
  for (let at = 0; at < versions; at++) made.push(await publishChange(store, growth(of, at * 3, at * 3 + 3), `version ${at}`));
  return made;
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => ![".clock", ".swept"].includes(path))
    .sort();
}

/** What is there now is older than any grace that these tests have; what comes from now on is not. */
async function letTimePass(): Promise<void> {
  await sleep(30);
}

/** The same list of snapshots, whose published branch has another name. */
function withoutMain(repo: Buffer): Buffer {
  const message = zstdDecompressSync(repo.subarray(39));
  for (let at = message.indexOf("\u0004\0\0\0main"); at >= 0; at = message.indexOf("\u0004\0\0\0main", at + 1))
    message.write("niam", at + 4);
  const file = Buffer.concat([repo.subarray(0, 39), message]);
  file[38] = 0;
  return file;
}

const removedOf = ({ kinds }: UpkeepReport): Record<string, number> =>
  Object.fromEntries(Object.entries(kinds).map(([kind, { removed }]) => [kind, removed.count]));

/** What Python's collector would remove of all that is older than now. */
const pythonWouldRemove = (folder: string, expireBeforeMs?: number): Promise<Record<string, number>> =>
  inPython(
    `repo = open_repo(sys.argv[1])
if len(sys.argv) > 2:
    repo.expire_snapshots(datetime.datetime.fromtimestamp(float(sys.argv[2]) / 1000, datetime.timezone.utc))
now = datetime.datetime.now(datetime.timezone.utc)
g = repo.garbage_collect(now, dry_run=len(sys.argv) <= 2)
print(json.dumps(dict(snapshot=g.snapshots_deleted, transaction=g.transaction_logs_deleted, manifest=g.manifests_deleted, chunk=g.chunks_deleted)))`,
    folder,
    ...(expireBeforeMs === undefined ? [] : [String(expireBeforeMs)]),
  );

describe("upkeep removes", () => {
  test("with all versions kept, what Python's own collector would, and what that leaves in overwritten", {
    skip: missingPython(),
  }, async () => {
    const store = await openGrowing(growing);
    const versions = await grow(store, 6);
    // Publications that came to nothing: in one piece, and in parts.
    const parent = await store.head();
    await store.stage(parent, growth(growing, 18, 30), "staged only");
    await store.stage(parent, oneByOne([growth(growing, 18, 25), growth(growing, 25, 40)]), "staged only, in parts");
    await letTimePass();
    const python = await pythonWouldRemove(growing.folder);
    const dry = await store.upkeep({ retain: versions, graceMs: 0, dryRun: true });
    assert.deepEqual(removedOf(dry), { ...python, overwritten: dry.kinds.overwritten.before.count, temporary: 0 });
    assert.deepEqual([python.snapshot, python.transaction, python.chunk], [3, 3, 6]);
    assert.ok((python.manifest as number) > 4);
    const files = await filesIn(growing.folder);
    const report = await store.upkeep({ retain: versions, graceMs: 0 });
    assert.deepEqual(removedOf(report), removedOf(dry));
    assert.equal(files.length - (await filesIn(growing.folder)).length, report.removed.count);
    assert.deepEqual(report.versions, { retained: 6, expired: 0 });
    await letTimePass();
    assert.equal((await store.upkeep({ retain: versions, graceMs: 0 })).removed.count, 0);
  });

  test("of versions that are let go, as many chunks and manifests as Python's expiry and collection", {
    skip: missingPython(),
  }, async () => {
    const store = await openGrowing(growing);
    const versions = await grow(store, 8);
    await letTimePass();
    const times = (await store.versions(8)).map(({ writtenMs }) => writtenMs);
    const copy = join(root, "copy");
    await cp(growing.folder, copy, { recursive: true });
    const python = await pythonWouldRemove(copy, times[2] as number);
    const report = await store.upkeep({ retain: { newest: 3 }, graceMs: 0 });
    const ours = removedOf(report);
    assert.deepEqual([ours.snapshot, ours.manifest, ours.chunk], [python.snapshot, python.manifest, python.chunk]);
    assert.equal(ours.snapshot, 5);
    assert.ok((ours.chunk as number) > 5 && (ours.manifest as number) > 5);
    assert.deepEqual(report.versions, { retained: 3, expired: 5 });

    const expected = Object.fromEntries(versions.slice(5).map((id, index) => [id, 18 + index * 3]));
    const lengths = await inPython<Record<string, number>>(
      `repo = open_repo(sys.argv[1])
read = lambda id: zarr.open_group(repo.readonly_session(snapshot_id=id).store, mode="r")
print(json.dumps({id: int((read(id)["time"][:] == np.arange(read(id)["time"].shape[0])).sum()) for id in sys.argv[2:]}))`,
      growing.folder,
      ...versions.slice(5),
    );
    assert.deepEqual(lengths, expected);
    // Python's expiry still works on what we left, and its collector finds nothing more.
    const none = { snapshot: 0, transaction: 0, manifest: 0, chunk: 0 };
    assert.deepEqual(await pythonWouldRemove(growing.folder, times[2] as number), none);
    assert.deepEqual(
      (await store.versions(9)).map(({ id, expired }) => [id, expired]),
      versions
        .slice(5)
        .reverse()
        .map((id) => [id, false]),
    );
  });

  test("nothing that is younger than the grace, and everything afterwards", async () => {
    const store = await openGrowing(growing);
    await grow(store, 3);
    const parent = await store.head();
    await store.stage(parent, growth(growing, 9, 12), "staged only");
    const files = await filesIn(growing.folder);
    const young = await store.upkeep({ retain: { newest: 1 }, graceMs: 3_600_000 });
    assert.equal(young.removed.count, 0);
    assert.deepEqual(await filesIn(growing.folder), files);
    const later = await store.upkeep({ retain: { newest: 1 }, graceMs: 3_600_000, now: Date.now() + 3_700_000 });
    assert.deepEqual(later.versions, { retained: 1, expired: 2 });
    assert.equal(later.kinds.snapshot.removed.count, 3);
    // Only what was there before counts as old, however far ahead the given moment lies.
    const version = await store.stage(parent, growth(growing, 9, 12), "at last");
    await store.publish(parent, version);
    assert.equal(await store.head(), version);
  });

  test("what crashed writers left: temporary files, dead locks, branches of parts", async () => {
    const store = await openGrowing(growing);
    await grow(store, 2);
    const temporary = [".0b0e7b43-1f0c-4b8a-9d1c-6d2a3c9d8f10", "chunks/.1b0e7b43-1f0c-4b8a-9d1c-6d2a3c9d8f10"];
    for (const path of temporary) await writeFile(join(growing.folder, path), "half");
    for (const name of [".lock", ".lock.breaking", ".lock.dead"]) await writeFile(join(growing.folder, name), "");
    await mkdir(join(growing.folder, "mine"));
    const foreign = ["notes.txt", "chunks/not-an-id", "mine/1CECHNKREP0F1RSTCMT0", "overwritten/notes", ".hidden"];
    for (const path of foreign) await writeFile(join(growing.folder, path), "not ours");
    const { utimes } = await import("node:fs/promises");
    for (const name of [".lock", ".lock.breaking"]) await utimes(join(growing.folder, name), 1, 1);
    await letTimePass();
    const removed: string[] = [];
    const report = await store.upkeep({ retain: { newest: 9 }, graceMs: 0, onRemove: ({ path }) => removed.push(path) });
    assert.equal(report.kinds.temporary.removed.count, 2);
    assert.deepEqual(removed.filter((path) => path.includes("/.") || path.startsWith(".")).sort(), temporary.sort());
    const left = await filesIn(growing.folder);
    for (const path of foreign) assert.ok(left.includes(path), path);
    assert.deepEqual(
      left.filter((path) => path.includes(".lock")),
      [],
    );
  });

  test("a branch that a crashed publication left, once it is older than the grace", { skip: missingPython() }, async () => {
    const store = await storeIn(growing.folder);
    const parent = await store.head();
    async function* crashing(): AsyncGenerator<ReturnType<typeof rowsChange>> {
      yield rowsChange(0, 1);
      yield rowsChange(1, 2);
      // As if the process ended here: nobody takes the branch away.
      await cp(growing.folder, join(root, "crashed"), { recursive: true });
      yield rowsChange(2, 3);
    }
    await store.stage(parent, crashing(), "in parts");
    const crashed = await storeIn(join(root, "crashed"));
    const early = await crashed.upkeep({ retain: { newest: 1 }, graceMs: 3_600_000 });
    assert.deepEqual([early.branches, early.removed.count], [[], 0]);
    await letTimePass();
    const dry = await crashed.upkeep({ retain: { newest: 1 }, graceMs: 0, dryRun: true });
    const report = await crashed.upkeep({ retain: { newest: 1 }, graceMs: 0 });
    assert.equal(report.branches.length, 1);
    assert.deepEqual(dry.branches, report.branches);
    assert.ok(report.kinds.snapshot.removed.count > 0);
    const branches = await inPython(`print(json.dumps(list(open_repo(sys.argv[1]).list_branches())))`, join(root, "crashed"));
    assert.deepEqual(branches, ["main"]);
  });
});

describe("upkeep keeps", () => {
  test("versions by name, by number, by age; the published one always; the list of all", async () => {
    const store = await openGrowing(growing);
    const versions = await grow(store, 6);
    await letTimePass();
    const [first, , third, , , last] = versions as [string, string, string, string, string, string];
    const states = async (): Promise<boolean[]> => (await store.versions(10)).map(({ expired }) => expired).reverse();

    const young = await store.upkeep({ retain: { newest: 0, youngerThanMs: 3_600_000 }, graceMs: 0 });
    assert.deepEqual(young.versions, { retained: 6, expired: 0 });
    await store.upkeep({ retain: [first, third], graceMs: 0 });
    assert.deepEqual(await states(), [false, true, false, true, true, false]);
    assert.ok((await store.get(third, "time/c/0")) !== undefined);
    const isNamed = (error: unknown): boolean =>
      isExpired(error) &&
      (error as Error).message.includes("version 1") &&
      (error as Error).message.includes(versions[1] as string);
    await assert.rejects(store.reader(versions[1] as string), isNamed);
    await assert.rejects(store.get(versions[1] as string, "time/c/0"), isNamed);
    assert.equal((await store.version(versions[1] as string))?.expired, true);
    assert.equal((await store.version(first))?.expired, false);
    // A second opening has nothing in its caches.
    const cold = (await IcechunkStore.open({
      folder: growing.folder,
      prefixes: [],
      split: { dimension: "time", chunks: 10 },
    })) as IcechunkStore;
    await assert.rejects(cold.get(versions[1] as string, "zarr.json"), isNamed);
    await assert.rejects(cold.reader("0000000000000000000G"), (error) => isFreshetError(error, "usage"));

    await store.upkeep({ retain: { newest: 0 }, graceMs: 0 });
    assert.deepEqual(await states(), [true, true, true, true, true, false]);
    assert.equal(await store.head(), last);
    // What has expired stays so, and is no obstacle to a wider rule.
    const wider = await store.upkeep({ retain: { newest: 4 }, graceMs: 0 });
    assert.deepEqual(wider.versions, { retained: 1, expired: 0 });
    await grow(store, 1);
  });

  test("what tags and branches of others name, of the same name too", { skip: missingPython() }, async () => {
    const store = await openGrowing(growing);
    const versions = await grow(store, 5);
    await inPython(
      `repo = open_repo(sys.argv[1])
repo.create_tag("work", sys.argv[2])
repo.create_branch("work", sys.argv[3])
session = repo.writable_session("work")
zarr.create_array(session.store, name="theirs", data=np.arange(100_000, dtype="int64"), chunks=(50_000,))
session.commit("theirs")
print(0)`,
      growing.folder,
      versions[0] as string,
      versions[1] as string,
    );
    await letTimePass();
    await store.upkeep({ retain: { newest: 1 }, graceMs: 0 });
    const read = await inPython<number[]>(
      `repo = open_repo(sys.argv[1])
tagged = zarr.open_group(repo.readonly_session(tag="work").store, mode="r")
work = zarr.open_group(repo.readonly_session("work").store, mode="r")
print(json.dumps([int(tagged["time"][:].sum()), int(work["time"][:].sum()), int(work["theirs"][:].sum())]))`,
      growing.folder,
    );
    assert.deepEqual(read, [3, 15, 4_999_950_000]);
    assert.deepEqual(
      (await store.versions(9)).map(({ expired }) => expired),
      [false, true, true, true, false],
    );
  });

  test("everything, where somebody has moved the branch or taken it away; and what is named, wherever it is", {
    skip: missingPython(),
  }, async () => {
    const store = await openGrowing(growing);
    const versions = await grow(store, 4);
    const [, second, third, fourth] = versions as [string, string, string, string];
    await letTimePass();
    assert.equal((await store.upkeep({ retain: versions, graceMs: 0, published: fourth })).versions.retained, 4);
    const files = await filesIn(growing.folder);
    await inPython(`open_repo(sys.argv[1]).reset_branch("main", sys.argv[2]); print(0)`, growing.folder, second);
    await letTimePass();
    const moved = { graceMs: 0, published: fourth };
    await assert.rejects(store.upkeep({ ...moved, retain: { newest: 1 } }), isConflict);
    await assert.rejects(store.upkeep({ ...moved, retain: versions, dryRun: true }), isConflict);
    for (const path of files) assert.ok(existsSync(join(growing.folder, path)), path);
    await store.upkeep({ retain: [third], graceMs: 0 });
    const states = await Promise.all(versions.map(async (id) => (await store.version(id))?.expired));
    assert.deepEqual(states, [true, false, false, true]);

    const bytes = await readFile(join(growing.folder, "repo"));
    await writeFile(join(growing.folder, "repo"), withoutMain(bytes));
    await assert.rejects(
      store.upkeep({ retain: { newest: 1 }, graceMs: 0 }),
      (error) => isCorrupt(error) && /branch is missing/.test(String(error)),
    );
    await writeFile(join(growing.folder, "repo"), bytes);
  });

  test("everything, where something cannot be read that says what is in use", async () => {
    const store = await openGrowing(growing);
    await grow(store, 4);
    await letTimePass();
    const files = await filesIn(growing.folder);
    const damage = async (path: string, change: (bytes: Buffer) => Buffer | undefined, refused: (error: unknown) => boolean) => {
      const full = join(growing.folder, path);
      const bytes = await readFile(full);
      const changed = change(Buffer.from(bytes));
      if (changed === undefined) await rm(full);
      else await writeFile(full, changed);
      await assert.rejects(store.upkeep({ retain: { newest: 1 }, graceMs: 0 }), refused, path);
      await writeFile(full, bytes);
      assert.deepEqual(await filesIn(growing.folder), files);
    };
    const head = `snapshots/${await store.head()}`;
    const inUse = files.filter((path) => path.startsWith("manifests/"));
    const isUnsupported = (error: unknown): boolean => isFreshetError(error, "unsupported");
    const later = (bytes: Buffer): Buffer => bytes.fill(3, 36, 37);
    const cut = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length - 9);
    await damage("repo", later, isUnsupported);
    await damage("repo", cut, isCorrupt);
    await damage(head, later, isUnsupported);
    await damage(head, cut, isCorrupt);
    await damage(head, () => undefined, isCorrupt);
    for (const each of [later, cut, () => undefined]) {
      const folder = join(growing.folder, "manifests");
      const all = await Promise.all(inUse.map(async (path) => [path, await readFile(join(growing.folder, path))] as const));
      for (const [path, bytes] of all) {
        const changed = each(Buffer.from(bytes));
        if (changed === undefined) await rm(join(growing.folder, path));
        else await writeFile(join(growing.folder, path), changed);
      }
      await assert.rejects(store.upkeep({ retain: { newest: 1 }, graceMs: 0 }), (error) =>
        isFreshetError(error, "corrupt", "unsupported"),
      );
      await mkdir(folder, { recursive: true });
      for (const [path, bytes] of all) await writeFile(join(growing.folder, path), bytes);
      assert.deepEqual(await filesIn(growing.folder), files);
    }
    await assert.rejects(store.upkeep({ retain: { newest: 1 }, graceMs: -1 }), RangeError);
    await assert.rejects(store.upkeep({ retain: { newest: Number.NaN }, graceMs: 0 }), RangeError);
  });

  test("what a link in the store leads to", async () => {
    const store = await openGrowing(growing);
    await grow(store, 3);
    const outside = join(root, "outside");
    await mkdir(outside);
    await writeFile(join(outside, "1CECHNKREP0F1RSTCMT1"), "somebody's");
    await symlink(outside, join(growing.folder, "chunks", "link"));
    await symlink(join(outside, "1CECHNKREP0F1RSTCMT1"), join(growing.folder, "chunks", "1CECHNKREP0F1RSTCMTG"));
    await letTimePass();
    await store.upkeep({ retain: { newest: 1 }, graceMs: 0 });
    assert.ok(existsSync(join(outside, "1CECHNKREP0F1RSTCMT1")));
  });
});

describe("upkeep beside publications", () => {
  test("one that was begun before the cutoff and not published is refused at its swap; a new one goes through", async () => {
    const store = await openGrowing(growing);
    await grow(store, 2);
    const parent = await store.head();
    const slow = await store.stage(parent, growth(growing, 6, 9), "slow");
    await letTimePass();
    await store.upkeep({ retain: { newest: 5 }, graceMs: 0 });
    await assert.rejects(store.publish(parent, slow), isConflict);
    assert.equal(await store.head(), parent);
    const other = await openGrowing(growing);
    await assert.rejects(other.publish(parent, slow), isConflict);
    await publishChange(store, growth(growing, 6, 9), "again");
  });

  test("one whose first chunks upkeep took while it was being made is refused, though its snapshot is young", async () => {
    const store = await storeIn(growing.folder);
    const other = await storeIn(growing.folder);
    const parent = await store.head();
    const long = "x".repeat(2000);
    const large = rowsChange(0, 1);
    const chunk = { index: [0], bytes: Buffer.from(long) };
    const array = { ...(large.arrays[0] as (typeof large.arrays)[number]), native: [chunk] };
    // The chunk is in the folder before the snapshot that names it.
    let taken = 0;
    let upkeep: Promise<UpkeepReport> | undefined;
    async function* slowly(): AsyncGenerator<typeof large> {
      yield { ...large, arrays: [array] };
      await letTimePass();
      upkeep = other.upkeep({ retain: { newest: 1 }, graceMs: 0 });
      taken = (await upkeep).kinds.chunk.removed.count;
    }
    const version = await store.stage(parent, slowly(), "slow");
    assert.equal(taken, 1);
    await assert.rejects(store.publish(parent, version), isConflict);
    assert.equal(await store.head(), parent);
  });

  test("one that is staged and published within the grace keeps all it is made of", async () => {
    const store = await openGrowing(growing);
    await grow(store, 3);
    const parent = await store.head();
    const version = await store.stage(parent, growth(growing, 9, 12), "staged");
    await store.upkeep({ retain: { newest: 1 }, graceMs: 60_000, now: Date.now() });
    await store.publish(parent, version);
    await letTimePass();
    await store.upkeep({ retain: { newest: 1 }, graceMs: 0 });
    const report = await store.upkeep({ retain: { newest: 1 }, graceMs: 0 });
    assert.equal(report.removed.count, 0);
    assert.equal((await store.get(version, "time/c/0"))?.length, 8192);
  });

  test("two upkeeps at once, and publications meanwhile: the newest versions stay whole", async () => {
    const store = await openGrowing(growing);
    await grow(store, 5);
    await letTimePass();
    const others = await Promise.all([openGrowing(growing), openGrowing(growing)]);
    const upkeeps = others.map(async (other) => {
      for (let turn = 0; turn < 5; turn++) await other.upkeep({ retain: { newest: 2 }, graceMs: 40 });
    });
    let refused = 0;
    for (let at = 15; at < 45; at += 3) {
      await publishChange(store, growth(growing, at, at + 3), `to ${at + 3}`).catch((error) => {
        if (!isConflict(error)) throw error;
        refused++;
        at -= 3;
      });
    }
    await Promise.all(upkeeps);
    assert.ok(refused < 100);
    await letTimePass();
    const report = await store.upkeep({ retain: { newest: 2 }, graceMs: 0 });
    assert.equal(report.versions.retained, 2);
    assert.equal((await store.get(await store.head(), "time/c/0"))?.length, 8192);
  });

  test("its steps are said in order, and it may be ended between any two of them", async () => {
    const store = await openGrowing(growing);
    await grow(store, 4);
    await letTimePass();
    const steps: string[] = [];
    const stop = onStep((step) => {
      steps.push(step);
      if (steps.length === 4) throw new Error("ended");
    });
    await assert.rejects(store.upkeep({ retain: { newest: 1 }, graceMs: 0 }), /ended/).finally(stop);
    assert.deepEqual(steps, ["upkeep: before removing", ...Array(3).fill("upkeep: object removed")]);
    // Snapshots went first: three versions say that they have expired, and none is half there.
    assert.deepEqual(
      (await store.versions(9)).map(({ expired }) => expired),
      [false, true, true, true],
    );
    await store.upkeep({ retain: { newest: 1 }, graceMs: 0 });
    assert.equal((await stat(join(growing.folder, "chunks"))).isDirectory(), true);
    await publishChange(store, rootChange({ n: 1 }), "goes on");
  });
});
