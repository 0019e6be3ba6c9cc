import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, beforeEach, suite, test } from "node:test";
import { ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { copyToBucket, type PartialUpload, partialUploadOf } from "../../src/acquisition/copy-to-bucket.ts";
import { tryBucket } from "../../src/acquisition/our-copy.ts";
import { FreshetError, isFreshetError } from "../../src/errors/index.ts";
import { openReader, type RangeReader, S3Bucket } from "../../src/storage/index.ts";
import { memoryReader } from "../storage/memory-reader.ts";
import { missingS3, TestS3 } from "../support/versitygw.ts";

const MIB = 1024 * 1024;
const BUCKET = "copies";
const MIRROR = `s3://${BUCKET}/mirror/`;
const LARGE = randomBytes(17 * MIB);
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

suite("our own copies in a bucket", { skip: missingS3(), timeout: 120_000 }, () => {
  let s3: TestS3;
  let bucket: S3Bucket;
  let uri = "";
  let count = 0;
  before(async () => {
    s3 = await TestS3.start();
    await s3.createBucket(BUCKET);
    bucket = new S3Bucket(s3.connection);
  });
  after(() => s3?.stop());
  beforeEach(() => {
    uri = `${MIRROR}d/${++count}-granule`;
  });

  interface Told {
    readonly earlier?: PartialUpload | undefined;
    readonly onPart?: (part: PartialUpload) => void;
    readonly onProgress?: (bytes: number) => void;
    readonly checksum?: string;
    readonly signal?: AbortSignal;
  }
  const copy = (reader: RangeReader, { checksum, ...told }: Told = {}, to = bucket): Promise<void> =>
    copyToBucket(
      reader,
      to,
      { uri, mirror: MIRROR },
      {
        signal: new AbortController().signal,
        onProgress: () => undefined,
        ...(checksum === undefined ? {} : { checksum: { algorithm: "sha256", value: checksum } }),
        ...told,
      },
    );
  async function stored(): Promise<{ readonly bytes: Buffer; readonly etag: string | undefined }> {
    const reader = await openReader(uri, { s3: s3.connection });
    return { bytes: Buffer.from(await reader.read(0, reader.size)), etag: reader.identity.etag };
  }
  async function uploads(): Promise<number> {
    const { Uploads = [] } = await s3.client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
    return Uploads.filter(({ Key }) => uri.endsWith(Key ?? "-")).length;
  }
  /** Breaks off behind so many bytes, and counts those it gave. */
  function breaking(most: number, error: Error = new FreshetError("source-unavailable", "broke off"), etag = '"1"') {
    const asked: number[] = [];
    const reader: RangeReader = {
      ...memoryReader(LARGE),
      identity: { etag, size: LARGE.length },
      async *stream(offset) {
        asked.push(offset);
        for (let at = offset; at < LARGE.length; at += MIB) {
          if (at - offset >= most) throw error;
          yield LARGE.subarray(at, Math.min(at + MIB, LARGE.length));
        }
      },
    };
    return { reader, asked };
  }

  test("hold the bytes, small ones in one request and large ones in parts, with progress", async () => {
    const small = LARGE.subarray(0, 1000);
    await copy(memoryReader(small), { checksum: sha256(small) });
    const one = await stored();
    assert.ok(one.bytes.equals(small));
    assert.match(one.etag ?? "", /^"[0-9a-f]{32}"$/);
    uri = `${uri}-large`;
    const told: number[] = [];
    await copy(memoryReader(LARGE), { checksum: sha256(LARGE), onProgress: (bytes) => told.push(bytes) });
    const many = await stored();
    assert.ok(many.bytes.equals(LARGE));
    assert.match(many.etag ?? "", /-3"$/);
    assert.deepEqual(told, [8 * MIB, 16 * MIB, 17 * MIB]);
    assert.equal(await uploads(), 0);
  });

  test("are made once: what stands there is not read again, and keeps its etag", async () => {
    await copy(memoryReader(LARGE));
    const { etag } = await stored();
    const { reader, asked } = breaking(0);
    await copy(reader);
    assert.deepEqual(asked, []);
    assert.equal((await stored()).etag, etag);
  });

  test("several at once of one revision are one object, and none of them fails", async () => {
    await Promise.all([copy(memoryReader(LARGE)), copy(memoryReader(LARGE)), copy(memoryReader(LARGE))]);
    assert.ok((await stored()).bytes.equals(LARGE));
    assert.equal(await uploads(), 0);
  });

  test("that break off are gone on with behind the parts that are there; before that there is no object", async () => {
    const parts: PartialUpload[] = [];
    const first = breaking(16 * MIB);
    await assert.rejects(copy(first.reader, { onPart: (part) => parts.push(part) }), /broke off/);
    assert.equal(await bucket.sizeOf(uri, AbortSignal.timeout(10_000)), undefined);
    assert.equal(await uploads(), 1);
    // As it comes back from Temporal.
    const earlier = partialUploadOf(JSON.parse(JSON.stringify(parts.at(-1))));
    const second = breaking(LARGE.length);
    await copy(second.reader, { earlier });
    assert.deepEqual(second.asked, [16 * MIB]);
    assert.ok((await stored()).bytes.equals(LARGE));
    assert.equal(await uploads(), 0);
  });

  test("begin anew where the source has changed, where the upload is gone, and where a checksum is of all the bytes", async () => {
    for (const how of ["changed", "gone", "checksum"]) {
      uri = `${MIRROR}d/${++count}-granule`;
      const parts: PartialUpload[] = [];
      await assert.rejects(copy(breaking(16 * MIB).reader, { onPart: (part) => parts.push(part) }), /broke off/);
      const earlier = parts.at(-1) as PartialUpload;
      if (how === "gone") await bucket.abort(uri, earlier.upload, AbortSignal.timeout(10_000));
      const { reader, asked } = breaking(LARGE.length, undefined, how === "changed" ? '"2"' : '"1"');
      await copy(reader, { earlier, ...(how === "checksum" ? { checksum: sha256(LARGE) } : {}) });
      assert.deepEqual(asked, [0], how);
      assert.ok((await stored()).bytes.equals(LARGE));
      assert.equal(await uploads(), 0, how);
    }
    for (const told of [undefined, null, "starting", { upload: 1 }, { upload: "a\nb", partBytes: 1, identity: {} }])
      assert.equal(partialUploadOf(told), undefined);
  });

  test("that are not what was announced, or whose source changes, never become an object, and leave no upload", async () => {
    for (const bytes of [LARGE, LARGE.subarray(0, 1000)]) {
      await assert.rejects(copy(memoryReader(bytes), { checksum: sha256(Buffer.from("other")) }), (error) =>
        isFreshetError(error, "source-changed"),
      );
    }
    const changed = new FreshetError("source-changed", "changed");
    await assert.rejects(copy(breaking(9 * MIB, changed).reader), (error) => isFreshetError(error, "source-changed"));
    assert.equal(await bucket.sizeOf(uri, AbortSignal.timeout(10_000)), undefined);
    assert.equal(await uploads(), 0);
  });

  test("that are told to stop stop, and what is there is kept for the next attempt", async () => {
    const stopping = new AbortController();
    const parts: PartialUpload[] = [];
    const onPart = (part: PartialUpload): void => {
      parts.push(part);
      stopping.abort(new Error("told to stop"));
    };
    await assert.rejects(copy(memoryReader(LARGE), { onPart, signal: stopping.signal }), /told to stop/);
    assert.equal(await uploads(), 1);
    await bucket.abort(uri, parts[0]?.upload ?? "", AbortSignal.timeout(10_000));
  });

  test("uploads that nobody has gone on with are given up, and younger ones are not", async () => {
    const signal = AbortSignal.timeout(20_000);
    await bucket.begin(uri, signal);
    await bucket.abortOld(MIRROR, Date.now() - 3_600_000, signal);
    assert.equal(await uploads(), 1);
    await bucket.abortOld(MIRROR, Date.now() + 3_600_000, signal);
    assert.equal(await uploads(), 0);
  });

  test("a bucket that is not there is a storage error with what to do, for a copy and for the doctor", async () => {
    const elsewhere = "s3://nowhere/mirror/";
    uri = `${elsewhere}d/granule`;
    for (const bytes of [LARGE, LARGE.subarray(0, 1000)]) {
      await assert.rejects(
        copy(memoryReader(bytes)),
        (error) => isFreshetError(error, "storage") && /mirror.*no such bucket.*bucket is there/.test(error.message),
      );
    }
    const source = { name: "s", at: "https://host/", allow: [], mirrorS3: s3.connection };
    await assert.rejects(tryBucket({ ...source, mirror: elsewhere }, AbortSignal.timeout(10_000)), /no such bucket/);
    await tryBucket({ ...source, mirror: MIRROR }, AbortSignal.timeout(10_000));
  });
});
