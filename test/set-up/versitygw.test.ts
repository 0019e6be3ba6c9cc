import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { findVersitygw } from "../../set-up/versitygw.mjs";

const folder = mkdtempSync(join(tmpdir(), "freshet-find-versitygw-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function install(...path: string[]): string {
  mkdirSync(join(folder, ...path), { recursive: true });
  const program = join(folder, ...path, "versitygw");
  writeFileSync(program, "");
  return program;
}

test("versitygw is found where it is named, in the cache, or among Go's programs", () => {
  const named = install("named");
  const cached = install("cache", "versitygw-1.8.0");
  const built = install("go", "bin");
  const empty = join(folder, "nothing");
  assert.equal(findVersitygw({ FRESHET_VERSITYGW: named, FRESHET_CACHE: join(folder, "cache") }), named);
  assert.equal(findVersitygw({ FRESHET_CACHE: join(folder, "cache"), GOPATH: join(folder, "go") }), cached);
  assert.equal(findVersitygw({ FRESHET_CACHE: empty, GOPATH: join(folder, "go") }), built);
  assert.equal(findVersitygw({ FRESHET_CACHE: empty, GOBIN: join(folder, "go", "bin") }), built);
  assert.equal(findVersitygw({ FRESHET_CACHE: empty, GOPATH: empty }), undefined);
  assert.equal(findVersitygw({ FRESHET_CACHE: join(folder, "cache"), FRESHET_VERSITYGW: empty }), undefined);
});
