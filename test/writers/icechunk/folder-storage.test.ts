import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isFreshetError } from "../../../src/errors/index.ts";
import { folderBackend } from "../../../src/writers/icechunk/folder-storage.ts";
import { StoreFolder } from "../../../src/writers/icechunk/store-folder.ts";
import { storeIn } from "./a-store.ts";

/** The callbacks as the binding calls them: a null first, and no types. */
type Calls = Record<string, (error: null, argument: unknown) => Promise<Record<string, unknown>>>;

let root = "";
let calls: Calls;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "freshet-storage-"));
  calls = folderBackend(new StoreFolder(root)) as unknown as Calls;
});
afterEach(() => rm(root, { recursive: true, force: true }));

const call = (name: string, argument: unknown): Promise<Record<string, unknown>> =>
  (calls[name] as Calls[string])(null, argument);
const put = (path: string, text: string, previousVersion?: { etag?: string }) =>
  call("putObject", { path, data: Buffer.from(text), previousVersion });
const etagOf = (answer: Record<string, unknown>): string => (answer.newVersion as { etag: string }).etag;
const textOf = async (path: string): Promise<string> => String((await call("getObjectRange", { path })).data);

describe("a store in a local folder", () => {
  test("a conditional put writes if the version is the expected one, and says if not", async () => {
    const first = await put("repo", "one", {});
    assert.equal(first.kind, "updated");
    assert.equal((await put("repo", "two", {})).kind, "not_on_latest_version");
    assert.equal((await put("repo", "two", { etag: "other" })).kind, "not_on_latest_version");
    assert.equal(await textOf("repo"), "one");
    const second = await put("repo", "two", { etag: etagOf(first) });
    assert.equal(second.kind, "updated");
    assert.equal((await put("repo", "three", { etag: etagOf(first) })).kind, "not_on_latest_version");
    assert.equal(await textOf("repo"), "two");
  });

  test("of many conditional puts at once, from several openings, exactly one wins", async () => {
    const first = await put("repo", "one", {});
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        ((folderBackend(new StoreFolder(root)) as unknown as Calls).putObject as Calls[string])(null, {
          path: "repo",
          data: Buffer.from(`writer ${index}`),
          previousVersion: { etag: etagOf(first) },
        }),
      ),
    );
    assert.equal(answers.filter(({ kind }) => kind === "updated").length, 1);
    const winner = answers.findIndex(({ kind }) => kind === "updated");
    assert.equal(await textOf("repo"), `writer ${winner}`);
  });

  test("a conditional read says whether anything is new", async () => {
    const { newVersion } = await put("repo", "one");
    assert.equal((await call("getObjectConditional", { path: "repo", previousVersion: newVersion })).kind, "on_latest_version");
    const answer = await call("getObjectConditional", { path: "repo", previousVersion: { etag: "other" } });
    assert.equal(answer.kind, "modified");
    assert.equal(String(answer.data), "one");
  });

  test("ranges are cut; what is not there is said in the word that the binding looks for", async () => {
    await put("a/b", "abcdef");
    assert.equal(String((await call("getObjectRange", { path: "a/b", rangeStart: 2, rangeEnd: 4 })).data), "cd");
    for (const name of ["getObjectRange", "getObjectConditional"])
      await assert.rejects(call(name, { path: "none" }), /ObjectNotFound/);
    await assert.rejects(call("getObjectLastModified", "none"), /ObjectNotFound/);
  });

  test("a path that leads out of the folder is refused, for reading, writing, copying and deleting", async () => {
    const outside = join(root, "..", "outside");
    const refused = (error: unknown): boolean => isFreshetError(error, "storage") && /leads out of the store/.test(error.message);
    for (const path of ["../outside", "a/../../outside", `../${"x".repeat(3)}`]) {
      await assert.rejects(put(path, "x"), refused);
      await assert.rejects(put(path, "x", {}), refused);
      await assert.rejects(call("getObjectRange", { path }), refused);
      await assert.rejects(call("deleteBatch", { prefix: "", batch: [{ id: path, size: 1 }] }), refused);
    }
    await put("in", "x");
    await assert.rejects(call("copyObject", { from: "in", to: "../outside" }), refused);
    assert.ok(!existsSync(outside));
    await put("/etc/passwd", "x");
    assert.ok(existsSync(join(root, "etc", "passwd")));
  });

  test("a folder named with a slash at its end is the same folder", async () => {
    const other = folderBackend(new StoreFolder(`${root}/`)) as unknown as Calls;
    await put("a", "x");
    assert.equal(String((await (other.getObjectRange as Calls[string])(null, { path: "a" })).data), "x");
  });

  test("listing names what is there, without the lock and without what is half written", async () => {
    await put("snapshots/a", "12");
    await put("snapshots/b/c", "3");
    await put("repo", "x", {});
    const listed = (await call("listObjects", "snapshots")) as unknown as { id: string; sizeBytes: number }[];
    assert.deepEqual(listed.map(({ id, sizeBytes }) => [id, sizeBytes]).sort(), [
      ["a", 2],
      ["b/c", 1],
    ]);
    const all = (await call("listObjects", "")) as unknown as { id: string }[];
    assert.deepEqual(all.map(({ id }) => id).sort(), ["repo", "snapshots/a", "snapshots/b/c"]);
    assert.deepEqual(await call("listObjects", "none"), []);
    assert.ok(!(await readdir(root)).includes(".lock"));
  });

  test("two processes that publish fifty times each lose nothing", { timeout: 120_000 }, async () => {
    const folder = join(root, "store");
    await storeIn(folder);
    const writer = fileURLToPath(new URL("./writer-process.ts", import.meta.url));
    const children = ["a", "b"].map((name) =>
      spawn(process.execPath, [writer, folder, name, "50"], { stdio: ["ignore", "inherit", "inherit"] }),
    );
    const codes = await Promise.all(children.map(async (child) => (await once(child, "exit"))[0] as number));
    assert.deepEqual(codes, [0, 0]);
    const store = await storeIn(folder);
    const messages = (await store.versions(1000)).map(({ message }) => message);
    assert.equal(messages.length, 100);
    assert.equal(new Set(messages).size, 100);
    const content = JSON.parse(Buffer.from((await store.get(await store.head(), "zarr.json")) as Uint8Array).toString());
    assert.deepEqual(content.attributes, { a: 50, b: 50 });
  });
});
