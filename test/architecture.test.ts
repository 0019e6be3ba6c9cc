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
