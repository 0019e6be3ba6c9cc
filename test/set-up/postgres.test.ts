import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { findPostgres } from "../../set-up/postgres.mjs";

const folder = mkdtempSync(join(tmpdir(), "freshet-find-postgres-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function install(...path: string[]): string {
  const bin = join(folder, ...path);
  mkdirSync(bin, { recursive: true });
  for (const program of ["initdb", "postgres"]) writeFileSync(join(bin, program), "");
  return bin;
}

test("PostgreSQL is found where it is named, in PATH, or as the newest of Debian's", () => {
  const [named, inPath] = [install("named"), install("in-path")];
  install("debian", "9", "bin");
  const newest = install("debian", "15", "bin");
  mkdirSync(join(folder, "debian", "16", "bin"), { recursive: true });
  const debian = join(folder, "debian");
  assert.equal(findPostgres({ FRESHET_POSTGRES_BIN: named, PATH: inPath }, debian), named);
  assert.equal(findPostgres({ PATH: `${join(folder, "nothing")}:${inPath}` }, debian), inPath);
  assert.equal(findPostgres({}, debian), newest);
  assert.equal(findPostgres({}, join(folder, "nothing")), undefined);
  assert.equal(findPostgres({ FRESHET_POSTGRES_BIN: folder, PATH: inPath }, debian), undefined);
});
