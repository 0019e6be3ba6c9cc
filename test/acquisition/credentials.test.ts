import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { Cookies } from "../../src/acquisition/credentials/cookies.ts";
import { keyGiverOf } from "../../src/acquisition/credentials/earthdata-buckets.ts";
import { parseNetrc } from "../../src/acquisition/credentials/netrc.ts";
import { keysFor, openSource } from "../../src/acquisition/index.ts";
import type { Credentials, Source } from "../../src/dataset/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import { TestEarthdata } from "../support/earthdata.ts";

const BYTES = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251));

describe("who asks a source's servers", () => {
  let earthdata: TestEarthdata;
  let folder: string;
  let source: (credentials?: object) => Source;
  let installation = 0;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freshet-netrc-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    earthdata = await TestEarthdata.start();
    earthdata.files.set("data/one.nc", BYTES);
    process.env.NETRC = join(folder, `netrc-${++installation}`);
    delete process.env.EARTHDATA_TOKEN;
    source = (more = {}) => ({
      name: "podaac",
      at: `${earthdata.archive}data/`,
      allow: [earthdata.bytes],
      credentials: { kind: "earthdata", login: earthdata.login, ...more } as Credentials,
    });
  });
  afterEach(async () => {
    delete process.env.NETRC;
    delete process.env.EARTHDATA_TOKEN;
    await earthdata.close();
  });

  const withLogin = (password = earthdata.account.password): Promise<void> =>
    writeFile(process.env.NETRC as string, `machine localhost login ${earthdata.account.user} password ${password}\n`);
  const refusal = async (opening: Promise<unknown>): Promise<string> => {
    const error = await opening.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(isFreshetError(error, "source-refused", "usage", "malformed"), String(error));
    for (const secret of ["token-of", "pass-of", "secret-of", "session-of"]) assert.ok(!JSON.stringify(error).includes(secret));
    assert.ok(!/token-of|pass-of|secret-of/.test(error.message), error.message);
    return error.message;
  };

  test("with a token the archive is told it, and the signed address nothing", async () => {
    process.env.EARTHDATA_TOKEN = "token-of-ada";
    const reader = await openSource(source(), `${earthdata.archive}data/one.nc`);
    assert.deepEqual(Buffer.from(await reader.read(10, 20)), BYTES.subarray(10, 30));
    assert.deepEqual(
      earthdata.asked.map(({ server, authorization }) => [server, authorization]),
      [
        ["archive", "Bearer token-of-ada"],
        ["bytes", undefined],
      ],
    );
  });

  test("with a login the login's host alone is told it, and cookies go back to whom they came from", async () => {
    await withLogin();
    await openSource(source(), `${earthdata.archive}data/one.nc`);
    assert.deepEqual(
      earthdata.asked.map(({ server, authorization, cookie }) => [server, authorization?.slice(0, 5), cookie]),
      [
        ["archive", undefined, undefined],
        ["login", "Basic", undefined],
        ["archive", undefined, undefined],
        ["archive", undefined, "accessToken=session-of-ada"],
        ["bytes", undefined, undefined],
      ],
    );
    earthdata.asked.length = 0;
    await openSource(source(), `${earthdata.archive}data/one.nc`);
    assert.deepEqual(
      earthdata.asked.map(({ server }) => server),
      ["archive", "bytes"],
      "the next one needs no login",
    );
  });

  test("an account that is not there, or not right, is a reason without secrets", async () => {
    assert.match(
      await refusal(openSource(source(), `${earthdata.archive}data/one.nc`)),
      /there is no account of Earthdata.*EARTHDATA_TOKEN/,
    );
    await withLogin("pass-of-eve");
    assert.match(
      await refusal(openSource(source(), `${earthdata.archive}data/one.nc`)),
      /the login does not let us in: found status 200 from localhost/,
    );
    process.env.EARTHDATA_TOKEN = "token-of-eve";
    assert.match(await refusal(openSource(source(), `${earthdata.archive}data/one.nc`)), /the login does not let us in/);
  });

  test("a token in a file that was renewed is used without a restart", async () => {
    const token = join(folder, "token");
    await writeFile(token, "token-of-yesterday");
    const spelled = source({ token: `\${file:${token}}` });
    await refusal(openSource(spelled, `${earthdata.archive}data/one.nc`));
    await writeFile(token, "token-of-ada\n");
    await openSource(spelled, `${earthdata.archive}data/one.nc`);
  });

  test("a bearer token goes to the source's hosts, by https or to this machine", async () => {
    process.env.EARTHDATA_TOKEN = "token-of-ada";
    const bearer = { ...source(), credentials: { kind: "bearer", token: `\${EARTHDATA_TOKEN}` } as Credentials };
    await openSource(bearer, `${earthdata.archive}data/one.nc`);
    assert.equal(earthdata.asked[0]?.authorization, "Bearer token-of-ada");
    // Not one of the source's hosts any more.
    const elsewhere = { ...bearer, allow: [] };
    assert.match(await refusal(openSource(elsewhere, `${earthdata.archive}data/one.nc`)), /redirects to another host/);
    const { credentialsOf } = await import("../../src/acquisition/credentials/credentials-of.ts");
    const far = { ...bearer, at: "http://far.example/", allow: ["https://far.example/"] };
    const { credentials } = credentialsOf(far, far.at);
    assert.deepEqual(await credentials?.headersFor(new URL("http://far.example/a")), {});
    assert.deepEqual(await credentials?.headersFor(new URL("https://far.example/a")), { authorization: "Bearer token-of-ada" });
    assert.deepEqual(await credentials?.headersFor(new URL("https://far.example.evil/a")), {});
    assert.deepEqual(await credentials?.headersFor(new URL("https://far.example/a?X-Amz-Signature=x")), {});
  });

  test("temporary keys are fetched once for all who wait, and renewed before they end", async ({ mock }) => {
    mock.timers.enable({ apis: ["Date"], now: Date.UTC(2026, 0, 1) });
    process.env.EARTHDATA_TOKEN = "token-of-ada";
    earthdata.keys = { ...earthdata.keys, lifeMs: 3_600_000 };
    const giver = keysFor(source({ s3: `${earthdata.archive}s3credentials` }), "s3://protected/");
    const fetched = (): number => earthdata.asked.filter(({ url }) => url === "/s3credentials").length;
    const [first, second] = await Promise.all([giver?.keys(), giver?.keys()]);
    assert.deepEqual([first, fetched()], [second, 1]);
    assert.equal(first?.sessionToken, "session-token");
    await giver?.keys();
    assert.equal(fetched(), 1);
    mock.timers.setTime(Date.UTC(2026, 0, 1, 0, 49));
    await giver?.keys();
    assert.equal(fetched(), 1, "eleven minutes are left");
    mock.timers.setTime(Date.UTC(2026, 0, 1, 0, 51));
    const renewed = await giver?.keys();
    assert.equal(fetched(), 2);
    assert.ok((renewed?.expiration?.getTime() ?? 0) > (first?.expiration?.getTime() ?? 0));
    const other = keysFor(source({ s3: `${earthdata.archive}s3credentials` }), "s3://another-one/");
    assert.equal(other, giver, "one archive gives one pair of keys to a process");
  });

  test("what is no keys is a reason that shows nothing of it", async () => {
    process.env.EARTHDATA_TOKEN = "token-of-ada";
    const giver = keysFor(source({ s3: `${earthdata.archive}s3credentials` }), "s3://protected/");
    for (const [body, reason] of [
      ['{"accessKeyId":"secret-of-mine"', /no JSON: found a text that is not shown/],
      ['{"accessKeyId":"secret-of-mine"}', /holds no temporary keys/],
      ['{"accessKeyId":"secret-of-a","secretAccessKey":"b","sessionToken":"c","expiration":"soon"}', /holds no temporary keys/],
    ] as const) {
      earthdata.hostileKeys = body;
      assert.match(await refusal(giver?.keys() as Promise<unknown>), reason);
    }
  });

  test("who gives keys is known by the bucket's name, or said", () => {
    assert.equal(keyGiverOf("podaac-swot-ops-cumulus-protected"), "https://archive.swot.podaac.earthdata.nasa.gov/s3credentials");
    assert.equal(keyGiverOf("podaac-ops-cumulus-protected"), "https://archive.podaac.earthdata.nasa.gov/s3credentials");
    assert.throws(() => keysFor(source(), "s3://ours/"), /it is not known where keys for this bucket are given: found ours/);
  });
});

describe("netrc", () => {
  const text = `# a comment with machine a login b
machine one.example
  login ada
  password p#w
macdef init
machine two.example login eve password no

machine two.example login bob password secret machine three.example password alone
default login anybody password x
`;
  for (const [host, expected] of [
    ["one.example", { user: "ada", password: "p#w" }],
    ["two.example", { user: "bob", password: "secret" }],
    ["three.example", undefined],
    ["four.example", undefined],
  ] as const) {
    test(host, () => assert.deepEqual(parseNetrc(text, host), expected));
  }
});

test("cookies are bounded, taken back, and no host's but their own", () => {
  const cookies = new Cookies();
  const host = new URL("https://a.example/x");
  cookies.keep(host, ["a=1; Domain=.example; Path=/", "b=2", "no cookie", `long=${"x".repeat(10_000)}`]);
  assert.equal(cookies.headerFor(host), "a=1; b=2");
  assert.equal(cookies.headerFor(new URL("https://b.example/")), undefined);
  cookies.keep(host, ["a=; Max-Age=0", "b=3; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]);
  assert.equal(cookies.headerFor(host), undefined);
  cookies.keep(
    host,
    Array.from({ length: 1_000 }, (_, index) => `c${index}=1`),
  );
  assert.equal(cookies.headerFor(host)?.split("; ").length, 50);
});
