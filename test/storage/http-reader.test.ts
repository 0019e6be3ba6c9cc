import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, describe, test } from "node:test";
import { type ErrorKind, isFreshetError } from "../../src/errors/index.ts";
import { type HttpReaderOptions, openHttpReader } from "../../src/storage/index.ts";

const BYTES = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251));
const ETAG = '"one"';
const MODIFIED = "Tue, 14 Nov 2023 22:13:20 GMT";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
let handler: Handler;
let requests: IncomingMessage[] = [];
let server: Server;
let other: Server;
let origin = "";
let otherOrigin = "";

before(async () => {
  const listen = async (): Promise<Server> => {
    const made = createServer((request, response) => {
      requests.push(request);
      handler(request, response);
    });
    await new Promise<void>((resolve) => made.listen(0, "127.0.0.1", resolve));
    return made;
  };
  server = await listen();
  other = await listen();
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  otherOrigin = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
});
beforeEach(() => {
  requests = [];
  handler = serve();
});
after(() => {
  for (const made of [server, other]) {
    made.closeAllConnections();
    made.close();
  }
});

/** A server of the bytes as object stores are: ranges, etag, If-Match. */
function serve(
  facts: { readonly bytes?: Buffer; readonly etag?: string | null; readonly modified?: string | null } = {},
): Handler {
  const { bytes = BYTES, etag = ETAG, modified = MODIFIED } = facts;
  return (request, response) => {
    if (etag !== null) response.setHeader("etag", etag);
    if (modified !== null) response.setHeader("last-modified", modified);
    const match = request.headers["if-match"];
    if (match !== undefined && match !== etag) return response.writeHead(412).end();
    const [, from = "0", to = "0"] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    const end = Math.min(Number(to) + 1, bytes.length);
    if (Number(from) >= bytes.length) return response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
    response.writeHead(206, { "content-range": `bytes ${from}-${end - 1}/${bytes.length}` });
    return response.end(bytes.subarray(Number(from), end));
  };
}

const answer =
  (status: number, headers: Record<string, string> = {}, body: string | Buffer = ""): Handler =>
  (_, response) =>
    response.writeHead(status, headers).end(body);

const refusedAs = (kind: ErrorKind, message: RegExp) => (error: unknown) => {
  assert.ok(isFreshetError(error), String(error));
  assert.deepEqual([error.kind, message.test(error.message)], [kind, true], error.message);
  return true;
};

const open = (options: HttpReaderOptions = {}, path = "/file.nc") =>
  openHttpReader(origin + path, { firstBytes: 100, retry: { times: 0, firstWaitMs: 0 }, ...options });
const ranges = () => requests.map((request) => request.headers.range);

describe("an http source", () => {
  test("is known from its first bytes: one request, which later reads at the beginning use", async () => {
    const reader = await open();
    assert.deepEqual(reader.identity, { etag: ETAG, lastModifiedMs: Date.parse(MODIFIED), size: 1000 });
    assert.equal(reader.uri, `${origin}/file.nc`);
    assert.deepEqual(Buffer.from(await reader.read(10, 90)), BYTES.subarray(10, 100));
    assert.deepEqual(ranges(), ["bytes=0-99"]);
    assert.deepEqual(
      requests.map((request) => request.method),
      ["GET"],
    );
    assert.deepEqual(Buffer.from(await reader.read(90, 20)), BYTES.subarray(90, 110));
    assert.deepEqual(Buffer.from(await reader.read(999, 1)), BYTES.subarray(999));
    assert.deepEqual(ranges(), ["bytes=0-99", "bytes=90-109", "bytes=999-999"]);
    assert.deepEqual(
      requests.map((request) => request.headers["if-match"]),
      [undefined, ETAG, ETAG],
    );
    await assert.rejects(reader.read(990, 11), refusedAs("truncated", /found 1000 bytes in all, expected 11 bytes from 990/));
  });

  test("may be empty", async () => {
    handler = serve({ bytes: Buffer.alloc(0) });
    const reader = await open();
    assert.equal(reader.size, 0);
    assert.equal((await reader.read(0, 0)).length, 0);
  });

  test("may be small on a server without range requests, but not large", async () => {
    handler = answer(200, { "content-length": "5", etag: ETAG }, "small");
    const reader = await open();
    assert.equal(Buffer.from(await reader.read(1, 3)).toString(), "mal");
    handler = answer(200, { "content-length": "1000" }, BYTES);
    await assert.rejects(open(), refusedAs("unsupported", /^the server does not support range requests: found status 200/));
    handler = (_, response) => response.writeHead(200).end(BYTES);
    await assert.rejects(open(), refusedAs("unsupported", /does not support range requests/));
  });

  test("sends what it is told to, and the password of the URL, which it does not show", async () => {
    const reader = await openHttpReader(`${origin.replace("//", "//ann:s%C3%A9cret@")}/f?sig=abc#part`, {
      headers: { "x-key": "1" },
      firstBytes: 10,
    });
    assert.equal(reader.uri, `${origin}/f?sig=abc`);
    assert.equal(requests[0]?.headers["x-key"], "1");
    assert.equal(requests[0]?.headers.authorization, `Basic ${Buffer.from("ann:sécret").toString("base64")}`);
    handler = answer(404);
    await assert.rejects(reader.read(500, 1), (error: Error) => !/sécret|s%C3|sig=abc/.test(error.message));
  });
});

describe("a source that changes while it is read is an error, never a mixture", () => {
  test("when the server checks the etag", async () => {
    const reader = await open();
    handler = serve({ etag: '"two"' });
    await assert.rejects(
      reader.read(500, 1),
      refusedAs("source-changed", /^the source changed while it was being read: found status 412, expected etag "one"/),
    );
  });

  test("when the server checks the date, where there is no etag", async () => {
    handler = serve({ etag: null });
    const reader = await open();
    assert.equal((await reader.read(500, 1))[0], 500 % 251);
    assert.equal(requests[1]?.headers["if-unmodified-since"], MODIFIED);
    handler = (request, response) => response.writeHead(request.headers["if-unmodified-since"] === undefined ? 200 : 412).end();
    await assert.rejects(reader.read(500, 1), refusedAs("source-changed", /found status 412, expected etag none, 2023-11-14T/));
  });

  test("when the server ignores If-Match", async () => {
    const reader = await open();
    const changed = serve({ etag: '"two"' });
    handler = (request, response) => {
      delete request.headers["if-match"];
      changed(request, response);
    };
    await assert.rejects(reader.read(500, 1), refusedAs("source-changed", /found etag "two", .*expected etag "one"/));
  });

  test("when there is only a date, or only a size, to tell by", async () => {
    handler = serve({ etag: null });
    const dated = await open();
    assert.equal(dated.identity.etag, undefined);
    handler = serve({ etag: null, modified: "Tue, 14 Nov 2023 22:13:21 GMT" });
    await assert.rejects(dated.read(500, 1), refusedAs("source-changed", /2023-11-14T22:13:21.000Z/));
    handler = serve({ etag: null, modified: null });
    const sized = await open();
    handler = serve({ etag: null, modified: null, bytes: BYTES.subarray(0, 900) });
    await assert.rejects(sized.read(500, 1), refusedAs("source-changed", /found etag none, no date, 900 bytes/));
  });

  test("when it became shorter than what is asked for", async () => {
    const reader = await open();
    handler = serve({ bytes: BYTES.subarray(0, 400) });
    await assert.rejects(reader.read(500, 1), refusedAs("source-changed", /no longer has these bytes: found status 416/));
  });

  test("but a weak etag is compared and not sent, and machines may disagree on the date", async () => {
    handler = serve({ etag: 'W/"weak"' });
    const reader = await open();
    handler = serve({ etag: 'W/"weak"', modified: "Tue, 14 Nov 2023 22:13:29 GMT" });
    assert.equal((await reader.read(500, 1))[0], 500 % 251);
    assert.equal(requests[1]?.headers["if-match"], undefined);
    handler = serve({ etag: 'W/"other"' });
    await assert.rejects(reader.read(500, 1), refusedAs("source-changed", /W\/"other"/));
  });
});

describe("what the server says instead of the bytes", () => {
  const cases: readonly (readonly [status: number, kind: ErrorKind])[] = [
    [401, "source-refused"],
    [403, "source-refused"],
    [404, "source-missing"],
    [410, "source-missing"],
    [408, "source-unavailable"],
    [429, "source-unavailable"],
    [500, "source-unavailable"],
    [503, "source-unavailable"],
    [418, "source-refused"],
  ];
  for (const [status, kind] of cases) {
    test(`${status} is ${kind}, at the opening and later`, async () => {
      const reader = await open();
      handler = answer(status);
      await assert.rejects(reader.read(500, 1), refusedAs(kind, new RegExp(`found status ${status} \\(${origin}/file.nc\\)`)));
      await assert.rejects(open(), refusedAs(kind, new RegExp(`found status ${status}`)));
    });
  }

  test("Retry-After is passed on, in seconds and as a date", async () => {
    const waits: (number | undefined)[] = [];
    for (const value of ["120", new Date(Date.now() + 60_000).toUTCString(), "soon"]) {
      handler = answer(503, { "retry-after": value });
      await assert.rejects(open(), (error) => isFreshetError(error) && waits.push(error.facts.retryAfterMs) > 0);
    }
    assert.equal(waits[0], 120_000);
    assert.ok((waits[1] as number) > 55_000 && (waits[1] as number) <= 60_000);
    assert.equal(waits[2], undefined);
  });

  test("compressed on its way, the wrong range, or more than was asked for, is not taken", async () => {
    handler = answer(206, { "content-encoding": "gzip", "content-range": "bytes 0-99/1000" }, BYTES.subarray(0, 100));
    await assert.rejects(open(), refusedAs("unsupported", /compresses the file on its way/));
    handler = answer(206, { "content-range": "bytes 5-104/1000" }, BYTES.subarray(0, 100));
    await assert.rejects(open(), refusedAs("unsupported", /found content-range bytes 5-104\/1000, expected bytes 0-…\/size/));
    handler = answer(206, { "content-range": "bytes 0-99/*" }, BYTES.subarray(0, 100));
    await assert.rejects(open(), refusedAs("unsupported", /content-range bytes 0-99\/\*/));
    handler = answer(206, { "content-range": "bytes 0-99/1000" }, BYTES.subarray(0, 200));
    await assert.rejects(open(), refusedAs("source-unavailable", /sends more than was asked for/));
    handler = answer(206, { "content-range": "bytes 0-99/1000" }, BYTES.subarray(0, 50));
    await assert.rejects(open(), refusedAs("source-unavailable", /ends early: found 50 bytes, expected 100/));
  });
});

describe("a range that fails for now is asked for again", () => {
  const retry = { times: 2, firstWaitMs: 1 };
  const failing = (times: number, failure: Handler): Handler => {
    const works = serve();
    let failures = 0;
    return (request, response) => (failures++ < times ? failure(request, response) : works(request, response));
  };
  const broken: Handler = (_, response) => {
    response.writeHead(206, { "content-range": "bytes 500-599/1000", "content-length": "100", etag: ETAG });
    response.write(BYTES.subarray(500, 510), () => response.destroy());
  };
  const stalled: Handler = (_, response) => {
    response.writeHead(206, { "content-range": "bytes 500-599/1000", "content-length": "100", etag: ETAG });
    response.write(BYTES.subarray(500, 510));
  };

  for (const [name, failure] of Object.entries({ "5xx": answer(503), "429": answer(429), broken, stalled })) {
    test(`${name}: alone, not with what was read already`, async () => {
      const reader = await open({ retry, limits: { stallMs: 100 } });
      handler = failing(2, failure);
      assert.deepEqual(Buffer.from(await reader.read(500, 100)), BYTES.subarray(500, 600));
      assert.deepEqual(ranges(), ["bytes=0-99", "bytes=500-599", "bytes=500-599", "bytes=500-599"]);
    });
  }

  test("but not for ever, not what will not change, and not when the server wants a long rest", async () => {
    const reader = await open({ retry });
    handler = answer(500);
    await assert.rejects(reader.read(500, 1), refusedAs("source-unavailable", /found status 500/));
    assert.equal(requests.length, 4);
    handler = answer(404);
    await assert.rejects(reader.read(500, 1), refusedAs("source-missing", /no such file/));
    assert.equal(requests.length, 5);
    handler = answer(503, { "retry-after": "3600" });
    await assert.rejects(reader.read(500, 1), refusedAs("source-unavailable", /found status 503/));
    assert.equal(requests.length, 6);
  });

  test("a source that changed in between is noticed", async () => {
    const reader = await open({ retry });
    const changed = serve({ etag: '"two"' });
    let failures = 0;
    handler = (request, response) => (failures++ === 0 ? answer(502)(request, response) : changed(request, response));
    await assert.rejects(reader.read(500, 1), refusedAs("source-changed", /status 412/));
  });

  test("the wait ends when nobody wants the answer any more", async () => {
    const reason = new Error("enough");
    const stop = new AbortController();
    const reader = await open({ retry: { times: 2, firstWaitMs: 8_000 }, signal: stop.signal });
    handler = (_, response) => {
      response.writeHead(503).end();
      response.on("close", () => setTimeout(() => stop.abort(reason), 20));
    };
    await assert.rejects(reader.read(500, 1), reason);
  });
});

describe("connections", () => {
  const limits = { connectMs: 500, firstByteMs: 200, stallMs: 200 };

  test("a server that does not answer, or stops, is unavailable after the limit", async () => {
    handler = () => {};
    await assert.rejects(open({ limits }), refusedAs("source-unavailable", /^the server took the request and does not answer/));
    handler = (_, response) => {
      response.writeHead(206, { "content-range": "bytes 0-99/1000", "content-length": "100" });
      response.write(BYTES.subarray(0, 10));
    };
    await assert.rejects(open({ limits }), refusedAs("source-unavailable", /^the server stopped in the middle of its answer/));
    handler = (_, response) => {
      response.writeHead(206, { "content-range": "bytes 0-99/1000", "content-length": "100" });
      response.write(BYTES.subarray(0, 10), () => response.destroy());
    };
    await assert.rejects(open({ limits }), refusedAs("source-unavailable", /^the server broke the connection/));
  });

  test("nobody listening, or a name that does not exist, is unavailable", async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    await assert.rejects(
      openHttpReader(`http://127.0.0.1:${port}/`),
      refusedAs("source-unavailable", /^nothing listens at this address/),
    );
    await assert.rejects(openHttpReader("http://nothing.invalid/"), refusedAs("source-unavailable", /^the server's name/));
  });

  test("a signal ends opening and reading with its own reason", async () => {
    const reason = new Error("enough");
    handler = () => {};
    const stop = new AbortController();
    const opening = open({ signal: stop.signal });
    setTimeout(() => stop.abort(reason), 20);
    await assert.rejects(opening, reason);
    handler = serve();
    const reader = await open();
    await assert.rejects(reader.read(500, 1, AbortSignal.abort(reason)), reason);
  });
});

describe("redirects", () => {
  test("are followed once, then remembered; credentials stay with the first origin", async () => {
    handler = (request, response) =>
      request.headers.host === new URL(origin).host
        ? response.writeHead(307, { location: `${otherOrigin}/signed?x=1` }).end()
        : serve()(request, response);
    const asked: string[] = [];
    const mayRedirectTo = (url: URL): boolean => asked.push(url.href) > 0;
    const reader = await open({ headers: { authorization: "Bearer secret" }, mayRedirectTo });
    assert.deepEqual(asked, [`${otherOrigin}/signed?x=1`]);
    assert.equal(reader.uri, `${origin}/file.nc`);
    await reader.read(500, 1);
    await reader.read(600, 1);
    assert.deepEqual(
      requests.map((request) => [request.url, request.headers.authorization]),
      [
        ["/file.nc", "Bearer secret"],
        ["/signed?x=1", undefined],
        ["/signed?x=1", undefined],
        ["/signed?x=1", undefined],
      ],
    );
  });

  test("that have expired are asked for again", async () => {
    let signature = 1;
    handler = (request, response) => {
      if (request.url === "/file.nc") return response.writeHead(302, { location: `/signed?${signature}` }).end();
      return request.url === `/signed?${signature}` ? serve()(request, response) : answer(403)(request, response);
    };
    const reader = await open();
    signature = 2;
    assert.equal((await reader.read(500, 1))[0], 500 % 251);
    await reader.read(600, 1);
    assert.deepEqual(
      requests.map((request) => request.url),
      ["/file.nc", "/signed?1", "/signed?1", "/file.nc", "/signed?2", "/signed?2"],
    );
  });

  test("lead to no other host, unless it is allowed", async () => {
    handler = answer(302, { location: `${otherOrigin}/signed?secret=1` });
    const message = new RegExp(
      `another host, which is not allowed: found ${otherOrigin}/signed\\?…, expected ${new URL(origin).host}`,
    );
    await assert.rejects(open(), refusedAs("source-refused", message));
    await assert.rejects(open({ mayRedirectTo: () => false }), refusedAs("source-refused", message));
    assert.deepEqual(
      requests.map(({ url }) => url),
      ["/file.nc", "/file.nc"],
    );
  });

  test("without end, to nowhere or out of http are not followed", async () => {
    handler = answer(302, { location: "/file.nc" });
    await assert.rejects(open(), refusedAs("source-unavailable", /redirects without end: found 9 redirects/));
    handler = answer(302, { location: "http://[" });
    await assert.rejects(open(), refusedAs("source-unavailable", /redirects to no address/));
    handler = answer(302, { location: "file:///etc/passwd" });
    await assert.rejects(open(), refusedAs("source-refused", /redirects to an address that is not followed: found file:/));
  });
});
