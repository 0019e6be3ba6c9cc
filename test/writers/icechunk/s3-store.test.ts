import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { bytesCodec } from "../../../src/codecs/index.ts";
import { isFreshetError } from "../../../src/errors/index.ts";
import { type S3Connection, s3Uri } from "../../../src/storage/index.ts";
import {
  arrayMetadata,
  containerPrefix,
  groupMetadata,
  IcechunkStore,
  type StoreChange,
  type StoreOptions,
} from "../../../src/writers/icechunk/index.ts";
import { missingS3, TestS3 } from "../../support/versitygw.ts";

const KEYS = ["plain.nc", "a b/é+=&,:@.nc", "per%cent/%41.nc", "hash#and?question.nc"];
const content = (value: number): Uint8Array => new Uint8Array(10).fill(value);

describe("a store whose chunks are in S3", { skip: missingS3() }, () => {
  let s3: TestS3;
  let root = "";
  before(async () => {
    s3 = await TestS3.start();
    root = await mkdtemp(join(tmpdir(), "freshet-s3-store-"));
    await s3.createBucket("private");
    await s3.createBucket("public", { isPublic: true });
    for (const bucket of ["private", "public"])
      for (const [value, key] of KEYS.entries()) await s3.put(bucket, key, content(value));
  });
  after(async () => {
    await s3.stop();
    await rm(root, { recursive: true, force: true });
  });

  const optionsFor = (folder: string, bucket: string, connection: S3Connection): StoreOptions => ({
    folder: join(root, folder),
    prefixes: [containerPrefix(`s3://${bucket}/`)],
    s3: connection,
    split: { dimension: "time", chunks: 100 },
  });

  /** `v(time)`: a byte of each object, in a published version. */
  async function publish(
    options: StoreOptions,
    bucket: string,
  ): Promise<{ readonly store: IcechunkStore; readonly version: string }> {
    const store = await IcechunkStore.openOrCreate(options);
    const metadata = arrayMetadata({
      shape: [KEYS.length],
      chunkShape: [1],
      dimensionNames: ["time"],
      dataType: { kind: "number", name: "uint8" },
      codecs: [bytesCodec("little")],
      fillValue: 255,
      attributes: new Map(),
    });
    const virtual = KEYS.map((key, index) => {
      const etag = `"${createHash("md5").update(content(index)).digest("hex")}"`;
      const source = { size: 10, etag, lastModifiedMs: Date.now() };
      return { index: [index], uri: s3Uri({ bucket, key }) as string, offset: 2, length: 1, source };
    });
    const change: StoreChange = {
      groups: [{ path: "/", metadata: groupMetadata(new Map()) }],
      arrays: [{ path: "/v", metadata, virtual, native: [], erase: [], patch: undefined }],
    };
    const parent = await store.head();
    const version = await store.stage(parent, change, "a version");
    await store.publish(parent, version);
    return { store, version };
  }
  const chunks = async (store: IcechunkStore, version: string): Promise<(number | undefined)[]> =>
    Promise.all(KEYS.map(async (_, index) => (await store.get(version, `v/c/${index}`))?.[0]));

  test("reads them signed, whatever their keys", async () => {
    const { store, version } = await publish(optionsFor("signed", "private", s3.connection), "private");
    assert.deepEqual(await chunks(store, version), [0, 1, 2, 3]);
  });

  test("reads them unsigned from a public bucket, and from no other", async () => {
    const anonymous = { ...s3.connection, anonymous: true };
    const open = await publish(optionsFor("open", "public", anonymous), "public");
    assert.deepEqual(await chunks(open.store, open.version), [0, 1, 2, 3]);
    const closed = await publish(optionsFor("closed", "private", anonymous), "private");
    await assert.rejects(closed.store.get(closed.version, "v/c/0"), (error) => isFreshetError(error, "storage"));
  });

  test("notices an object that was replaced, within the same second too", async () => {
    const { store, version } = await publish(optionsFor("replaced", "private", s3.connection), "private");
    await s3.put("private", KEYS[0] as string, content(9));
    await assert.rejects(store.get(version, "v/c/0"), (error) => isFreshetError(error, "source-changed"));
    await s3.put("private", KEYS[0] as string, content(0));
    assert.deepEqual(await chunks(store, version), [0, 1, 2, 3]);
  });

  test("goes to another endpoint once it is told so", async () => {
    const away = optionsFor("moved", "private", { ...s3.connection, endpoint: "http://127.0.0.1:9" });
    await publish(away, "private");
    const store = await IcechunkStore.allow({ ...away, s3: s3.connection });
    assert.deepEqual(await chunks(store, await store.head()), [0, 1, 2, 3]);
    const again = await IcechunkStore.open({ ...away, s3: s3.connection });
    assert.deepEqual(again && (await chunks(again, await again.head())), [0, 1, 2, 3]);
  });
});
