import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { missingPython } from "../../support/python.ts";
import { type GrowingStore, growth, makeSource, openGrowing, publishChange } from "./growing-store.ts";
import { inPython } from "./in-python.ts";

const VERSIONS = 7;
const RETAINED = 3;
let root = "";
let store = "";
let kept: string[] = [];
let expected: unknown;

/** Every array of every retained version, values and all. */
const readAll = (folder: string): Promise<unknown> =>
  inPython(
    `repo = open_repo(sys.argv[1])
print(json.dumps({version: contents(repo, version) for version in sys.argv[2:]}))`,
    folder,
    ...kept,
  );

const upkeep = async (folder: string, after: number): Promise<{ signal: string | null; removed: number }> => {
  const program = fileURLToPath(new URL("./upkeep-process.ts", import.meta.url));
  const child = spawn(process.execPath, [program, folder, String(after)], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (data) => {
    text += data;
  });
  const [, signal] = (await once(child, "close")) as [number | null, string | null];
  return { signal, removed: Number(text) };
};

before(async () => {
  if (missingPython()) return;
  root = await mkdtemp(join(tmpdir(), "freshet-upkeep-crash-"));
  store = join(root, "s");
  const source = await makeSource(join(root, "in"));
  const growing: GrowingStore = {
    folder: store,
    prefix: pathToFileURL(join(root, "in")).href.concat("/"),
    arrays: 2,
    split: 10,
    source,
  };
  const open = await openGrowing(growing);
  const versions: string[] = [];
  for (let at = 0; at < VERSIONS; at++)
    versions.push(await publishChange(open, growth(growing, at * 4, at * 4 + 4), `version ${at}`));
  await open.stage(await open.head(), growth(growing, 28, 40), "staged only");
  kept = versions.slice(-RETAINED);
  expected = await readAll(store);
});
after(() => rm(root, { recursive: true, force: true }));

describe("an upkeep that is killed", { skip: missingPython() }, () => {
  test("at any object: Python reads every retained version as before, and the next upkeep finishes the work", async () => {
    const whole = join(root, "whole");
    await cp(store, whole, { recursive: true });
    const { removed } = await upkeep(whole, -1);
    assert.ok(removed > 40, `${removed} objects`);
    assert.deepEqual(await readAll(whole), expected);
    assert.ok(JSON.stringify(expected).length > 1000);
    // Before the first, after the first, and so on to the last but one, at irregular places.
    const places = [0, 1, 5, Math.floor(removed / 3), removed - 1];
    for (const place of places) {
      const folder = join(root, `killed-${place}`);
      await cp(store, folder, { recursive: true });
      const killed = await upkeep(folder, place);
      assert.equal(killed.signal, "SIGKILL", `at ${place}`);
      assert.deepEqual(await readAll(folder), expected, `killed at ${place}`);
      const rest = await upkeep(folder, -1);
      assert.equal(rest.signal, null);
      assert.equal(place + rest.removed, removed);
      await rm(folder, { recursive: true, force: true });
    }
  });
});
