import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const folder = new URL("data/", import.meta.url);
const LIMIT_BYTES = 25_000_000;

/** A line of the table "Files" in test/data/README.md. */
interface Listed {
  readonly file: string;
  readonly origin: string;
  readonly bytes: number;
  readonly sha256: string;
}

async function listedFiles(): Promise<readonly Listed[]> {
  const text = await readFile(new URL("README.md", folder), "utf8");
  return text.split("\n").flatMap((line) => {
    const [, file = "", origin = "", bytes = "", sha256 = ""] = line.split("|").map((cell) => cell.trim());
    return /^[0-9a-f]{64}$/.test(sha256) ? [{ file, origin, bytes: Number(bytes), sha256 }] : [];
  });
}

describe("test data", async () => {
  const listed = await listedFiles();

  for (const { file, bytes, sha256, origin } of listed) {
    test(`${file} is the file that the table describes`, async () => {
      const content = await readFile(new URL(file, folder));
      assert.equal(content.length, bytes);
      assert.equal(createHash("sha256").update(content).digest("hex"), sha256);
      assert.match(origin, /^[\w.-]+\/[\w.-]+@[0-9a-f]{12}:\S|^test\/python\/make_data\.py$/);
    });
  }

  test("every file has a line, every line a file, and all stay under 25 MB", async () => {
    const entries = await readdir(fileURLToPath(folder), { recursive: true, withFileTypes: true });
    const found = entries
      .filter((entry) => entry.isFile() && !entry.name.endsWith(".md"))
      .map((entry) => `${entry.parentPath}/${entry.name}`.slice(fileURLToPath(folder).length).replace(/^\/+/, ""));
    assert.deepEqual(found.sort(), listed.map(({ file }) => file).sort());
    assert.ok(listed.reduce((sum, { bytes }) => sum + bytes, 0) <= LIMIT_BYTES);
  });
});
