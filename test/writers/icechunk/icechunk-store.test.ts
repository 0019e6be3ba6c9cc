import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import * as zarr from "zarrita";
import { bytesCodec } from "../../../src/codecs/index.ts";
import { isFreshetError } from "../../../src/errors/index.ts";
import {
  type ArrayChange,
  arrayMetadata,
  containerPrefix,
  groupMetadata,
  type IcechunkStore,
  type RowPatch,
  type StoreChange,
} from "../../../src/writers/icechunk/index.ts";
import { missingPython } from "../../support/python.ts";
import { rootChange, storeIn } from "./a-store.ts";
import { inPython } from "./in-python.ts";

const MODIFIED_MS = Date.UTC(2024, 0, 2, 3, 4, 5);

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "freshet-icechunk-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** `v(time)`, one byte a chunk, of these sources. */
function virtualChange(
  sources: readonly { uri: string; offset: number; lastModifiedMs?: number }[],
  more: Partial<ArrayChange> = {},
): StoreChange {
  const metadata = arrayMetadata({
    shape: [sources.length],
    chunkShape: [1],
    dimensionNames: ["time"],
    dataType: { kind: "number", name: "uint8" },
    codecs: [bytesCodec("little")],
    fillValue: 255,
    attributes: new Map(),
  });
  const virtual = sources.map(({ uri, offset, lastModifiedMs = MODIFIED_MS }, index) => ({
    index: [index],
    uri,
    offset,
    length: 1,
    source: { size: 10, lastModifiedMs },
  }));
  return {
    groups: [{ path: "/", metadata: groupMetadata(new Map()) }],
    arrays: [{ path: "/v", metadata, virtual, native: [], erase: [], patch: undefined, ...more }],
  };
}

async function publish(store: IcechunkStore, change: StoreChange, message = "a version"): Promise<string> {
  const parent = await store.head();
  const version = await store.stage(parent, change, message);
  await store.publish(parent, version);
  return version;
}

async function sourceIn(folder: string, name: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  await writeFile(
    path,
    Uint8Array.from({ length: 10 }, (_, index) => index * 10),
  );
  await utimes(path, MODIFIED_MS / 1000, MODIFIED_MS / 1000);
  return pathToFileURL(path).href;
}

async function valuesOf(store: IcechunkStore): Promise<number[]> {
  const array = await zarr.open(
    zarr.root((await store.reader(await store.head())) as unknown as zarr.AsyncReadable).resolve("v"),
    { kind: "array" },
  );
  return [...((await zarr.get(array)).data as Uint8Array)];
}

const isConflict = (error: unknown): boolean => isFreshetError(error, "conflict");

describe("publishing a version", () => {
  test("of two on one parent the second gets `conflict`, and what readers see is the first", async () => {
    const store = await storeIn(join(root, "s"));
    const parent = await store.head();
    const one = await store.stage(parent, rootChange({ n: 1 }), "one");
    const two = await store.stage(parent, rootChange({ n: 2 }), "two");
    assert.equal(await store.head(), parent);
    await store.publish(parent, one);
    await assert.rejects(store.publish(parent, two), isConflict);
    assert.equal(await store.head(), one);
  });

  test("publishing what is published is no error; staging on what no longer is, is a conflict", async () => {
    const store = await storeIn(join(root, "s"));
    const parent = await store.head();
    const one = await store.stage(parent, rootChange({ n: 1 }), "one");
    await store.publish(parent, one);
    await store.publish(parent, one);
    await assert.rejects(store.stage(parent, rootChange({ n: 2 }), "two"), isConflict);
  });

  test("processes that begin a store at once all have it", async () => {
    const folder = join(root, "s");
    const url = new URL("./a-store.ts", import.meta.url).href;
    const program = `
      const { storeIn } = await import(${JSON.stringify(url)});
      process.stdout.write("ready");
      process.stdin.once("data", async () => { await (await storeIn(process.argv[1])).head(); process.exit(); });`;
    const children = [1, 2, 3].map(() =>
      spawn(process.execPath, ["--input-type=module", "-e", program, folder], { stdio: ["pipe", "pipe", "inherit"] }),
    );
    const codes = children.map(async (child) => (await once(child, "exit"))[0] as number);
    await Promise.all(children.map((child) => once(child.stdout, "data")));
    for (const child of children) child.stdin.write("go");
    assert.deepEqual(await Promise.all(codes), [0, 0, 0]);
  });

  test("a store that a process died over while it began it can be begun again", async () => {
    const folder = join(root, "s");
    await storeIn(folder);
    await rm(join(folder, "repo"));
    const store = await storeIn(folder);
    await publish(store, rootChange({ n: 1 }), "one");
    assert.equal((await store.versions(10)).length, 1);
  });

  test("a folder with something else in it stays as it is", async () => {
    const folder = join(root, "s");
    await mkdir(join(folder, "snapshots"), { recursive: true });
    await writeFile(join(folder, "snapshots", "mine"), "mine");
    await assert.rejects(storeIn(folder), (error: unknown) => isFreshetError(error, "storage"));
    assert.deepEqual(await readdir(join(folder, "snapshots")), ["mine"]);
  });

  test("versions are listed newest first, without the empty one; old ones stay readable", async () => {
    const store = await storeIn(join(root, "s"));
    const one = await publish(store, rootChange({ n: 1 }), "one");
    const two = await publish(store, rootChange({ n: 2 }), "two");
    const versions = await store.versions(10);
    assert.deepEqual(
      versions.map(({ id, message }) => [id, message]),
      [
        [two, "two"],
        [one, "one"],
      ],
    );
    assert.equal(versions[0]?.parent, one);
    assert.ok(Math.abs((versions[0]?.writtenMs ?? 0) - Date.now()) < 600_000);
    assert.match(Buffer.from((await store.get(one, "zarr.json")) as Uint8Array).toString(), /"n":1/);
    assert.equal(await store.get(one, "none/zarr.json"), undefined);
  });

  test("a store where something else is, is refused, and that stays as it was", async () => {
    await writeFile(join(root, "other"), "x");
    await assert.rejects(
      storeIn(root),
      (error) => isFreshetError(error, "storage") && /holds something else/.test(error.message),
    );
    await assert.rejects(storeIn(join(root, "other")), (error) => isFreshetError(error, "storage"));
  });
});

describe("what a version holds", () => {
  test("chunks are references, unwritten ones read as fill, erased ones are gone", async () => {
    const uri = await sourceIn(join(root, "in"), "a.bin");
    const store = await storeIn(join(root, "s"), [containerPrefix(uri)]);
    await publish(
      store,
      virtualChange([
        { uri, offset: 3 },
        { uri, offset: 7 },
      ]),
    );
    assert.deepEqual(await valuesOf(store), [30, 70]);
    await publish(
      store,
      virtualChange(
        [
          { uri, offset: 3 },
          { uri, offset: 7 },
        ],
        { virtual: [], erase: [[0], [1]].slice(0, 1) },
      ),
    );
    assert.deepEqual(await valuesOf(store), [255, 70]);
  });

  test("a source that changed after its scan fails loudly, and so does one that became shorter", async () => {
    const uri = await sourceIn(join(root, "in"), "a.bin");
    const store = await storeIn(join(root, "s"), [containerPrefix(uri)]);
    await publish(store, virtualChange([{ uri, offset: 3 }]));
    await utimes(new URL(uri), MODIFIED_MS / 1000 + 5, MODIFIED_MS / 1000 + 5);
    await assert.rejects(valuesOf(store), /checksum of the object owning the virtual chunk has changed/);
  });

  test("a reference outside the declared prefixes is refused by name, and nothing is published", async () => {
    const uri = await sourceIn(join(root, "in"), "a.bin");
    const store = await storeIn(join(root, "s"), [pathToFileURL(join(root, "elsewhere")).href.concat("/")]);
    const head = await store.head();
    await assert.rejects(
      publish(store, virtualChange([{ uri, offset: 3 }])),
      (error) => isFreshetError(error, "source-refused") && error.message.includes(uri),
    );
    assert.equal(await store.head(), head);
  });

  test("a reference that is no range is corrupt before the binding sees it", async () => {
    const uri = await sourceIn(join(root, "in"), "a.bin");
    const store = await storeIn(join(root, "s"), [containerPrefix(uri)]);
    for (const offset of [-1, 1.5, Number.NaN])
      await assert.rejects(publish(store, virtualChange([{ uri, offset }])), (error) => isFreshetError(error, "corrupt"));
  });

  test("rows are changed in place, the rest of their chunk stays; new chunks begin with the fill", async () => {
    const store = await storeIn(join(root, "s"));
    const patched = (rows: RowPatch["rows"], rowsPerChunk = 4): StoreChange =>
      virtualChange([], {
        metadata: arrayMetadata({
          shape: [6],
          chunkShape: [rowsPerChunk],
          dimensionNames: ["time"],
          dataType: { kind: "number", name: "uint8" },
          codecs: [bytesCodec("little")],
          fillValue: 0,
          attributes: new Map(),
        }),
        patch: { rowsPerChunk, fill: Uint8Array.of(9), rows, trailing: 0 },
      });
    await publish(store, patched(new Map([[1, Uint8Array.of(1)]])));
    assert.deepEqual(await valuesOf(store), [9, 1, 9, 9, 0, 0]);
    await publish(
      store,
      patched(
        new Map([
          [2, Uint8Array.of(2)],
          [5, Uint8Array.of(5)],
        ]),
      ),
    );
    assert.deepEqual(await valuesOf(store), [9, 1, 2, 9, 9, 5]);
    const isCorrupt = (error: unknown): boolean =>
      isFreshetError(error, "corrupt") && /found 4 bytes, expected 3 bytes/.test(error.message);
    await assert.rejects(publish(store, patched(new Map([[0, Uint8Array.of(7)]]), 3)), isCorrupt);
    assert.deepEqual(await valuesOf(store), [9, 1, 2, 9, 9, 5]);
  });
});

describe("where references may point", () => {
  test("the prefix ends at the first folder whose name Icechunk cannot be given", () => {
    assert.equal(containerPrefix("file:///data/in/"), "file:///data/in/");
    assert.equal(containerPrefix("file:///data/in/a%20b.nc"), "file:///data/in/");
    assert.equal(containerPrefix("file:///data/a%20b/c/"), "file:///data/");
    assert.equal(containerPrefix("file:///data/%C3%A9t%C3%A9/"), "file:///data/");
    assert.equal(containerPrefix("file:///data/a+b/"), "file:///data/");
    assert.equal(containerPrefix("https://h:8443/p/q%20r/"), "https://h:8443/p/");
    assert.equal(containerPrefix("http://h/%20/"), "http://h/");
    assert.throws(
      () => containerPrefix("file:///%20x/y/"),
      (error) => isFreshetError(error, "unsupported") && /whole file system/.test(error.message),
    );
  });

  /** Folders and files that people have, by what has to be right about them. */
  const ODD: Readonly<Record<string, readonly [folder: string, name: string]>> = {
    "a space and an é": ["my data é", "a b é.bin"],
    "a literal %20": ["100%20", "a%20b.bin"],
    "a plus, an ampersand, brackets": ["a+b&c [1]", "x+y(1)'~.bin"],
    "a hash and a question mark": ["#1?", "a#b?.bin"],
    "letters beyond the first plane": ["🌊", "海.bin"],
  };
  for (const [what, [folder, name]] of Object.entries(ODD)) {
    test(`${what} in a source's path: zarrita reads what is there`, async () => {
      const uri = await sourceIn(join(root, folder), name);
      const store = await storeIn(join(root, "s"), [containerPrefix(pathToFileURL(join(root, folder)).href.concat("/"))]);
      await publish(
        store,
        virtualChange([
          { uri, offset: 3 },
          { uri, offset: 9 },
        ]),
      );
      assert.deepEqual(await valuesOf(store), [30, 90]);
    });

    test(`${what} in a source's path: Python reads what is there`, { skip: missingPython() }, async () => {
      const uri = await sourceIn(join(root, folder), name);
      const store = await storeIn(join(root, "s"), [containerPrefix(pathToFileURL(join(root, folder)).href.concat("/"))]);
      await publish(
        store,
        virtualChange([
          { uri, offset: 3 },
          { uri, offset: 9 },
        ]),
      );
      const lines = `print(zarr.open_array(open_repo(sys.argv[1]).readonly_session("main").store, path="v", mode="r")[:].tolist())`;
      assert.deepEqual(await inPython(lines, store.folder), [30, 90]);
    });
  }

  test("a store can be allowed further places, and the old references go on", async () => {
    const { IcechunkStore } = await import("../../../src/writers/icechunk/index.ts");
    const first = await sourceIn(join(root, "in"), "a.bin");
    const second = await sourceIn(join(root, "also"), "b.bin");
    const folder = join(root, "s");
    const store = await storeIn(folder, [containerPrefix(first)]);
    await publish(store, virtualChange([{ uri: first, offset: 1 }]));
    const both = [first, second].map(containerPrefix);
    const wider = await IcechunkStore.allow({ folder, prefixes: both, split: { dimension: "time", chunks: 100 } });
    await publish(
      wider,
      virtualChange([
        { uri: first, offset: 1 },
        { uri: second, offset: 2 },
      ]),
    );
    assert.deepEqual(await valuesOf(await storeIn(folder, both)), [10, 20]);
  });
});
