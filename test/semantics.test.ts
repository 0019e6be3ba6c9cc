import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

const root = new URL("../", import.meta.url);

test("docs/semantics.md names tests that are there", async () => {
  const page = await readFile(new URL("docs/semantics.md", root), "utf8");
  let named = 0;
  for (const line of page.split("\n").filter((row) => row.startsWith("| ") && row.includes(".test.ts`"))) {
    const shownBy = line.split(" | ").at(-1) as string;
    for (const part of shownBy.split(/[;,] `(?=test\/)/)) {
      const [, path] = /(test\/[\w/-]+\.test\.ts)/.exec(part) ?? [];
      assert.ok(path !== undefined, `no test in: ${part}`);
      const source = await readFile(new URL(path, root), "utf8");
      for (const [, title = ""] of part.matchAll(/"([^"]+)"/g)) {
        assert.ok(source.includes(title), `${path} has no test “${title}”`);
        named++;
      }
    }
  }
  assert.ok(named >= 30, `${named} tests named`);
});
