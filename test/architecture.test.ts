import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));

test("the table of rooms in docs/architecture.md is the folders of src, in the order that the check enforces", async () => {
  const page = readFileSync(`${root}docs/architecture.md`, "utf8");
  const rows = [...page.matchAll(/^\| ([a-z]+) \| (.+) \|$/gm)].filter(([, name]) => name !== "room");
  const documented = rows.map(([, name]) => name as string);
  const folders = readdirSync(`${root}src`, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => name);
  assert.deepEqual([...documented].sort(), [...folders].sort());

  const { ROOMS } = (await import(`${root}.dependency-cruiser.mjs`)) as { ROOMS: readonly string[] };
  const enforced = ROOMS.filter((room) => existsSync(`${root}src/${room}`)).reverse();
  assert.deepEqual(documented, enforced);
});

test("every test that docs/guarantees.md names is there", () => {
  const page = readFileSync(`${root}docs/guarantees.md`, "utf8");
  let file = "";
  let named = 0;
  for (const [, path, title] of page.matchAll(/`(test\/[^`]+)`|"([^"\n]+)"/g)) {
    if (path !== undefined) {
      assert.ok(existsSync(`${root}${path}`), path);
      file = readFileSync(`${root}${path}`, "utf8");
      named++;
    } else if (title !== undefined) {
      assert.ok(file.includes(title), title);
      named++;
    }
  }
  assert.ok(named > 50, `${named} names`);
});
