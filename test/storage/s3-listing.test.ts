import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isFreshetError } from "../../src/errors/index.ts";
import { type ListedFile, listPage, openReader } from "../../src/storage/index.ts";
import { missingS3, TestS3 } from "../support/versitygw.ts";

describe("the objects below a prefix", { skip: missingS3() }, () => {
  let s3: TestS3;
  before(async () => {
    s3 = await TestS3.start();
    await s3.createBucket("granules");
  });
  after(() => s3.stop());

  test("come in pages, in the order of their keys, each once", async () => {
    const folder = join(s3.folder, "granules", "many", "day");
    await mkdir(folder, { recursive: true });
    for (let number = 0; number < 2_500; number++) await writeFile(join(folder, `${String(number).padStart(4, "0")}.nc`), "x");
    await s3.put("granules", "other/x.nc", new Uint8Array(1));
    const seen: ListedFile[] = [];
    let pages = 0;
    let after: string | undefined;
    do {
      const page = await listPage("s3://granules/many/", after, { s3: s3.connection });
      seen.push(...page.files);
      pages++;
      after = page.next;
    } while (after !== undefined);
    assert.equal(pages, 3);
    const expected = Array.from({ length: 2_500 }, (_, number) => `s3://granules/many/day/${String(number).padStart(4, "0")}.nc`);
    assert.deepEqual(
      seen.map(({ uri }) => uri),
      expected,
    );
  });

  test("tell the identity that reading gives; keys that no URL can say are passed over", async () => {
    for (const key of ["odd/a b%.nc", "odd/plain.nc"]) await s3.put("granules", key, new Uint8Array(10));
    const { files } = await listPage("s3://granules/odd/", undefined, { s3: s3.connection });
    assert.equal(files.length, 2);
    for (const { uri, ...told } of files) assert.deepEqual(told, (await openReader(uri, { s3: s3.connection })).identity);
  });

  test("nothing there is an empty page, no bucket is refused", async () => {
    assert.deepEqual(await listPage("s3://granules/nothing/", undefined, { s3: s3.connection }), {
      files: [],
      folders: [],
      next: undefined,
      passedOver: 0,
    });
    await assert.rejects(listPage("s3://nobody/", undefined, { s3: s3.connection }), (error) =>
      isFreshetError(error, "source-refused"),
    );
  });
});
