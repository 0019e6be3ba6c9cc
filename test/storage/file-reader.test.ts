import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFile, chmod, mkdtemp, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isFreshetError } from "../../src/errors/index.ts";
import { openFileReader, openReader } from "../../src/storage/index.ts";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "freshet file # %20-"));
});
after(() => rm(folder, { recursive: true, force: true }));

async function fileOf(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const refusedAs = (kind: string, message: RegExp) => (error: unknown) => {
  assert.ok(isFreshetError(error), String(error));
  assert.equal(error.kind, kind);
  assert.match(error.message, message);
  return true;
};

describe("a local file", () => {
  test("is read by ranges, under a percent-encoded uri", async () => {
    const reader = await openFileReader(await fileOf("ä b#?.nc", "0123456789"));
    assert.ok(
      reader.uri.startsWith("file:///") && reader.uri.endsWith("%23%20%2520-".concat(reader.uri.split("%2520-")[1] ?? "")),
    );
    assert.ok(reader.uri.endsWith("/%C3%A4%20b%23%3F.nc"));
    assert.equal(reader.size, 10);
    assert.equal(Buffer.from(await reader.read(2, 3)).toString(), "234");
    assert.equal((await reader.read(10, 0)).length, 0);
    await assert.rejects(
      reader.read(8, 3),
      refusedAs("truncated", /^the source ends before .* found 10 bytes in all, expected 3 bytes from 8/),
    );
    await reader.close();
    const again = await openReader(reader.uri);
    assert.equal(Buffer.from(await again.read(0, 2)).toString(), "01");
    await again.close();
  });

  test("has size and modification time as its identity", async () => {
    const path = await fileOf("identity.nc", "abc");
    await utimes(path, 0, 1_700_000_000);
    const reader = await openFileReader(path);
    assert.deepEqual(reader.identity, { size: 3, lastModifiedMs: 1_700_000_000_000 });
    await reader.close();
  });

  const changes: readonly (readonly [what: string, change: (path: string) => Promise<void>, found: RegExp])[] = [
    ["written to", (path) => appendFile(path, "more"), /found 14 bytes of .*, expected 10 bytes of/],
    ["touched", (path) => utimes(path, 1, 1), /found 10 bytes of 1970-01-01T00:00:01.000Z/],
    [
      "replaced by renaming",
      async (path) => {
        await writeFile(`${path}.new`, "9876543210");
        await utimes(`${path}.new`, 1_700_000_000, 1_700_000_000);
        await rename(`${path}.new`, path);
      },
      /found 10 bytes of 2023-11-14T22:13:20.000Z, expected 10 bytes of 2023-11-14T22:13:20.000Z/,
    ],
    ["removed", (path) => rm(path), /found no file/],
  ];
  for (const [what, change, found] of changes) {
    test(`that is ${what} while it is read is a changed source`, async () => {
      const path = await fileOf(`changing ${what}.nc`, "0123456789");
      await utimes(path, 1_700_000_000, 1_700_000_000);
      const reader = await openFileReader(path);
      await reader.read(0, 4);
      await change(path);
      await assert.rejects(reader.read(4, 4), refusedAs("source-changed", /^the file changed while it was being read/));
      await assert.rejects(reader.read(4, 4), refusedAs("source-changed", found));
      await reader.close();
    });
  }

  test("that is not there, a folder, a pipe or beneath a file says so", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    await assert.rejects(
      openFileReader(join(folder, "nothing.nc")),
      refusedAs("source-missing", /^there is no such file \(file:\/\/\//),
    );
    await assert.rejects(openFileReader(folder), refusedAs("source-missing", /found a directory, expected a regular file/));
    await assert.rejects(openFileReader(pipe), refusedAs("source-missing", /found a pipe, socket or device/));
    await assert.rejects(openFileReader(join(await fileOf("plain", "x"), "below")), refusedAs("source-missing", /no such file/));
  });

  test("that may not be read says what to look at", {
    skip: process.getuid?.() === 0 && "root may read everything",
  }, async () => {
    const path = await fileOf("secret.nc", "x");
    await chmod(path, 0o000);
    await assert.rejects(openFileReader(path), refusedAs("source-refused", /Check its permissions/));
  });

  test("stops reading when it is told to", async () => {
    const reader = await openFileReader(await fileOf("stop.nc", "0123456789"));
    const reason = new Error("enough");
    await assert.rejects(reader.read(0, 1, AbortSignal.abort(reason)), reason);
    await reader.close();
  });
});

test("an address of an unknown kind is wrong use, a name with a colon is a file", async () => {
  await assert.rejects(
    openReader("gs://bucket/key"),
    refusedAs("usage", /found gs:, expected a path, file:, http:, https: or s3:/),
  );
  await assert.rejects(openReader("file://elsewhere/x"), refusedAs("usage", /not a local file URL/));
  await assert.rejects(openReader("run:12.nc"), refusedAs("source-missing", /run:12\.nc/));
});
