import assert from "node:assert/strict";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { type ErrorKind, isFreshetError } from "../../src/errors/index.ts";
import { openReader, type ReaderOptions, type S3Connection, s3Uri, withCounters } from "../../src/storage/index.ts";
import { missingS3, TestS3 } from "../support/versitygw.ts";

const BYTES = new Uint8Array(300_000).map((_, index) => (index * 7) % 251);

function refusedAs(kind: ErrorKind, message: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(isFreshetError(error, kind), `${error}`);
    assert.match(error.message, message);
    return true;
  };
}

describe("objects of a real S3 service", { skip: missingS3() }, () => {
  let s3: TestS3;
  const open = (uri: string, options: ReaderOptions = {}) =>
    openReader(uri, { s3: s3.connection, firstBytes: 100, retry: { times: 0, firstWaitMs: 0 }, ...options });

  before(async () => {
    s3 = await TestS3.start();
    await s3.createBucket("granules");
    await s3.createBucket("public", { isPublic: true });
  });
  after(() => s3.stop());

  test("an object is read by ranges, and says its etag, size and time", async () => {
    await s3.put("granules", "day/file.nc", BYTES);
    const reader = withCounters(await open("s3://granules/day/file.nc"));
    assert.equal(reader.size, BYTES.length);
    assert.match(reader.identity.etag ?? "", /^"[0-9a-f]{32}"$/);
    assert.ok(Math.abs((reader.identity.lastModifiedMs ?? 0) - Date.now()) < 60_000);
    assert.deepEqual(await reader.read(0, 50), BYTES.slice(0, 50));
    assert.deepEqual(await reader.read(250_000, 50_000), BYTES.slice(250_000));
    assert.deepEqual(await reader.read(300_000, 0), new Uint8Array(0));
    await assert.rejects(
      reader.read(299_999, 2),
      refusedAs("truncated", /found 300000 bytes in all, expected 2 bytes from 299999/),
    );
    assert.deepEqual([reader.requests, reader.bytes], [4, 50_050]);
  });

  for (const key of ["a b/é+=&,:@.nc", "per%cent/%41.nc", "hash#and?question.nc", "back\\slash.nc"]) {
    test(`a key that URLs have to escape: ${key}`, async () => {
      await s3.put("granules", key, BYTES);
      const uri = s3Uri({ bucket: "granules", key }) as string;
      const reader = await open(uri);
      assert.equal(reader.uri, uri);
      assert.deepEqual(await reader.read(1_000, 10), BYTES.slice(1_000, 1_010));
    });
  }

  test("a key that no URL can say has no uri", () => {
    assert.equal(s3Uri({ bucket: "granules", key: "a/../b" }), undefined);
    assert.equal(s3Uri({ bucket: "granules", key: "./b" }), undefined);
    assert.equal(s3Uri({ bucket: "granules", key: "a//b" }), "s3://granules/a//b");
  });

  test("an empty object is empty", async () => {
    await s3.put("granules", "empty", new Uint8Array(0));
    const reader = await open("s3://granules/empty");
    assert.equal(reader.size, 0);
    assert.ok(reader.identity.etag !== undefined);
  });

  test("an object that is replaced or removed while it is read is never mixed", async () => {
    await s3.put("granules", "moving", BYTES);
    const reader = await open("s3://granules/moving");
    await s3.put("granules", "moving", BYTES.toReversed());
    await assert.rejects(reader.read(1_000, 10), refusedAs("source-changed", /status 412/));
    await s3.remove("granules", "moving");
    await assert.rejects(reader.read(1_000, 10), refusedAs("source-missing", /^there is no such object/));
  });

  test("what cannot be read says why", async () => {
    await assert.rejects(open("s3://granules/none"), refusedAs("source-missing", /^there is no such object/));
    await assert.rejects(open("s3://nobody/none"), refusedAs("source-refused", /^there is no such bucket/));
    await assert.rejects(open("s3://granules/"), refusedAs("usage", /expected s3:\/\/bucket\/key/));
    await assert.rejects(open("s3://granules/day/"), refusedAs("usage", /expected s3:\/\/bucket\/key/));
    await assert.rejects(open("s3://granules/x?versionId=1"), refusedAs("usage", /expected s3:\/\/bucket\/key/));
  });

  test("a public bucket is read without credentials, another one is not", async () => {
    await s3.put("public", "file.nc", BYTES);
    await s3.put("granules", "file.nc", BYTES);
    const anonymous = { ...s3.connection, anonymous: true };
    const reader = await open("s3://public/file.nc", { s3: anonymous });
    assert.deepEqual(await reader.read(1_000, 10), BYTES.slice(1_000, 1_010));
    await assert.rejects(
      open("s3://granules/file.nc", { s3: anonymous }),
      refusedAs("source-refused", /status 403, AccessDenied/),
    );
  });
});

describe("a service that misbehaves", () => {
  let server: Server;
  let answer: RequestListener;
  let asked = 0;
  let s3: S3Connection;
  const RETRY = { times: 3, firstWaitMs: 1 };
  const open = (options: ReaderOptions = {}) => openReader("s3://bucket/key", { s3, firstBytes: 100, retry: RETRY, ...options });
  const whole: RequestListener = (request, response) => {
    const [from = 0, to = 0] = (request.headers.range ?? "").replace("bytes=", "").split("-").map(Number);
    const end = Math.min(to, BYTES.length - 1);
    response.writeHead(206, { etag: '"1"', "content-range": `bytes ${from}-${end}/${BYTES.length}` });
    response.end(BYTES.slice(from, end + 1));
  };

  before(async () => {
    server = createServer((request, response) => {
      asked++;
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    s3 = { endpoint: `http://127.0.0.1:${port}`, region: "us-east-1", anonymous: true, pathStyle: true };
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  /** What happens to one read after an opening that went well. */
  async function reading(listener: RequestListener, options: ReaderOptions = {}): Promise<Uint8Array> {
    answer = whole;
    const reader = await open(options);
    asked = 0;
    answer = listener;
    return reader.read(1_000, 10);
  }
  const error = (status: number, code: string, headers: Record<string, string> = {}): RequestListener => {
    return (_request, response) => {
      response.writeHead(status, { "content-type": "application/xml", ...headers });
      response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>as it says</Message></Error>`);
    };
  };

  test("a single range is asked for again after SlowDown", async () => {
    const bytes = await reading((request, response) => (asked < 3 ? error(503, "SlowDown") : whole)(request, response));
    assert.deepEqual(bytes, BYTES.slice(1_000, 1_010));
    assert.equal(asked, 3);
  });

  test("after all tries the reason is told, and when to come back", async () => {
    await assert.rejects(
      reading(error(503, "SlowDown")),
      refusedAs("source-unavailable", /asked too often: found status 503, SlowDown/),
    );
    assert.equal(asked, 4);
    await assert.rejects(reading(error(503, "SlowDown", { "retry-after": "3600" })), (failure: unknown) => {
      assert.ok(isFreshetError(failure, "source-unavailable"));
      return failure.facts.retryAfterMs === 3_600_000;
    });
    assert.equal(asked, 1);
  });

  test("an answer that is no S3's is not believed", async () => {
    const html: RequestListener = (_request, response) => response.writeHead(500).end("<html><body>Oops");
    await assert.rejects(reading(html), refusedAs("source-unavailable", /found status 500/));
    answer = (_request, response) => response.writeHead(200).end("<html>");
    await assert.rejects(open(), refusedAs("unsupported", /content-range absent/));
  });

  test("another state under the same name is noticed, though the service looks at no condition", async () => {
    const other: RequestListener = (_request, response) => {
      response.writeHead(206, { etag: '"2"', "content-range": `bytes 1000-1009/${BYTES.length}` });
      response.end(BYTES.slice(0, 10));
    };
    await assert.rejects(reading(other), refusedAs("source-changed", /found etag "2".*expected etag "1"/));
    assert.equal(asked, 1);
  });

  test("another region is named", async () => {
    answer = error(301, "PermanentRedirect", { "x-amz-bucket-region": "eu-west-2" });
    await assert.rejects(open(), refusedAs("source-refused", /found region eu-west-2.*s3: \{ region \}/));
  });

  test("credentials are not asked for where requests are not signed", async () => {
    answer = (request, response) => {
      assert.equal(request.headers.authorization, undefined);
      whole(request, response);
    };
    await open();
  });

  const retry = { times: 0, firstWaitMs: 0 };
  test("silence ends, before the answer and in the middle of it", async () => {
    const limits = { firstByteMs: 200, stallMs: 200 };
    await assert.rejects(
      reading(() => undefined, { limits, retry }),
      refusedAs("source-unavailable", /does not answer in time/),
    );
    const half: RequestListener = (_request, response) => {
      response.writeHead(206, { etag: '"1"', "content-length": 10, "content-range": `bytes 1000-1009/${BYTES.length}` });
      response.write("abc");
    };
    await assert.rejects(reading(half, { limits, retry }), refusedAs("source-unavailable", /stopped in the middle/));
  });

  test("more or less than was asked for is refused", async () => {
    const sized =
      (length: number): RequestListener =>
      (_request, response) => {
        response.writeHead(206, { etag: '"1"', "content-range": `bytes 1000-1009/${BYTES.length}` });
        response.end(new Uint8Array(length));
      };
    await assert.rejects(reading(sized(11), { retry }), refusedAs("source-unavailable", /found more than was asked for/));
    await assert.rejects(reading(sized(9), { retry }), refusedAs("source-unavailable", /found 9 bytes, expected 10/));
  });

  test("a signal ends a read", async () => {
    const controller = new AbortController();
    const stop = new Error("stop");
    await assert.rejects(
      reading(() => controller.abort(stop), { signal: controller.signal }),
      (failure: unknown) => failure === stop,
    );
  });
});
