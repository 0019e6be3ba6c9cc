import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { isFreshetError } from "../../src/errors/index.ts";
import { listPage, openFileReader } from "../../src/storage/index.ts";

describe("a folder", () => {
  let folder = "";
  let uri = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freshet-listing-"));
    uri = `${pathToFileURL(folder).href}/`;
    await mkdir(join(folder, "day 1"));
    await writeFile(join(folder, "a#b.nc"), "four");
    await utimes(join(folder, "a#b.nc"), 1_700_000_000.123, 1_700_000_000.123);
    await writeFile(join(folder, ".part"), "");
    await symlink(join(folder, "a#b.nc"), join(folder, "link.nc"));
    await symlink(folder, join(folder, "loop"));
    await symlink(join(folder, "nothing"), join(folder, "broken.nc"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test("has files with the identity that reading gives, and folders; links to folders are not followed", async () => {
    const { files, folders, next, passedOver } = await listPage(uri, undefined);
    const { identity } = await openFileReader(join(folder, "a#b.nc"));
    assert.deepEqual(files, [
      { uri: `${uri}a%23b.nc`, ...identity },
      { uri: `${uri}link.nc`, ...identity },
    ]);
    assert.deepEqual([folders, next, passedOver], [[`${uri}day%201/`], undefined, 3]);
  });

  test("that is not there is missing", async () => {
    await assert.rejects(listPage(`${uri}none/`, undefined), (error) => isFreshetError(error, "source-missing"));
    await assert.rejects(listPage(`${uri}a%23b.nc/`, undefined), (error) => isFreshetError(error, "source-missing"));
    await assert.rejects(listPage("ftp://example.org/x/", undefined), (error) => isFreshetError(error, "usage"));
  });
});
