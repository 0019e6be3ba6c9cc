import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Message, type Reading, readEnvelope } from "../../src/envelopes/index.ts";
import { goldenMessages } from "./golden.ts";

const SCHEMES = ["https:", "http:", "s3:", "gs:", "sftp:", "ftp:", "file:"];
const FLAT = { flat: [{ uri: "s3://{bucket}/{key}" }] };
const golden = [...goldenMessages().values()].flat();

/** What holds of the reading of any message. */
function assertHarmless(reading: Reading, body: string): void {
  if (reading.kind === "malformed") {
    assert.ok(reading.reason.length > 0 && reading.reason.length < 400, reading.reason);
    assert.ok(body.length <= 80 || !reading.reason.includes(body));
    return;
  }
  assert.ok(reading.told.length <= 2_000);
  assert.ok(reading.told.length + reading.passedOver.length > 0, "a message that is read says something");
  for (const { uri, size, removed } of reading.told) {
    const url = new URL(uri);
    assert.equal(url.href, uri, "normal form");
    assert.ok(uri.length <= 4_096);
    assert.ok(SCHEMES.includes(url.protocol), uri);
    assert.equal(`${url.username}${url.password}${url.search}${url.hash}`, "", uri);
    assert.ok(!url.pathname.split("/").some((segment) => /^(\.|%2e){1,2}$/i.test(segment)), uri);
    assert.ok(size === undefined || Number.isSafeInteger(size));
    assert.ok(!(removed && size !== undefined));
  }
  for (const why of reading.passedOver) assert.ok(why.length > 0 && why.length < 400 && !/[\n\r]/.test(why), why);
}

const readBoth = (message: Message, body: string): void => {
  assertHarmless(readEnvelope(message), body);
  assertHarmless(readEnvelope(message, FLAT), body);
};

/** Words that forms are told by, and values that paths and hosts are attacked with. */
const word = fc.constantFrom(
  ...["Records", "s3", "bucket", "object", "key", "name", "eventName", "Type", "TopicArn", "Message", "MessageAttributes"],
  ...["specversion", "type", "data", "data_base64", "message", "attributes", "subscription", "detail-type", "source", "detail"],
  ...["concept-id", "granule-ur", "location", "baseUrl", "relPath", "fileOp", "rename", "blocks", "uri", "size", "__proto__"],
);
const attack = fc.constantFrom(
  ...[
    "..",
    "../x",
    "a/..",
    "%2e%2e/x",
    "a/.%2E/b",
    "https://u:p@h/",
    "//h/x",
    "\\..\\x",
    "a\u0000b",
    "\ud800",
    " ",
    "\t",
    "?",
    "#",
    "%",
    "%zz",
  ],
  ...[
    "Notification",
    "Object Created",
    "aws.s3",
    "ObjectCreated:Put",
    "OBJECT_FINALIZE",
    "google.cloud.storage.object.v1.finalized",
  ],
  ...["https://host", "file:///", "javascript:alert(1)", "s3://", "constructor", "toString", "x".repeat(5_000)],
);
const leaf = fc.oneof(attack, fc.string(), fc.integer(), fc.double(), fc.constant(null), fc.boolean());
const { anyJson } = fc.letrec((tie) => ({
  anyJson: fc.oneof(
    { maxDepth: 6 },
    leaf,
    fc.array(tie("anyJson"), { maxLength: 4 }),
    fc.dictionary(fc.oneof(word, fc.string({ maxLength: 8 })), tie("anyJson"), { maxKeys: 6 }),
  ),
}));
const anyAttributes = fc.dictionary(
  fc.oneof(
    word,
    fc.constantFrom("sum", "parts", "oldname", "ce-specversion", "ce-type", "bucketId", "objectId", "eventType", "mode"),
  ),
  fc.oneof(attack, fc.string()),
  { maxKeys: 5 },
);

/** The value with one of its leaves, or a whole branch, replaced by something else. */
function replaced(value: unknown, choose: () => number, by: unknown): unknown {
  if (value === null || typeof value !== "object") return by;
  const names = Object.keys(value);
  const name = names[choose() % (names.length + 1)];
  if (name === undefined) return by;
  const member = replaced((value as Record<string, unknown>)[name], choose, by);
  return Array.isArray(value) ? value.with(Number(name), member) : { ...value, [name]: member };
}

describe("never throws, and tells no uri that is not plain", () => {
  test("on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), anyAttributes, (body, attributes) => {
        readBoth({ body, attributes }, new TextDecoder().decode(body));
      }),
      { numRuns: 500 },
    );
  });

  test("on any JSON", () => {
    fc.assert(
      fc.property(anyJson, anyAttributes, (value, attributes) => {
        const body = JSON.stringify(value);
        readBoth({ body, attributes }, body);
      }),
      { numRuns: 1_000 },
    );
  });

  test("on any line of Sarracenia", () => {
    const part = fc.oneof(attack, fc.webUrl(), fc.string());
    fc.assert(
      fc.property(part, part, anyAttributes, (base, path, attributes) => {
        const body = `20230404091412.1 ${base} ${path}`;
        readBoth({ body, attributes }, body);
      }),
      { numRuns: 500 },
    );
  });

  test("on golden messages with a member replaced, a byte changed, or an end cut off", () => {
    const picks = fc.array(fc.nat(), { minLength: 8, maxLength: 8 });
    let stillRead = 0;
    fc.assert(
      fc.property(fc.constantFrom(...golden), anyJson, picks, anyAttributes, ({ message }, by, numbers, more) => {
        let next = 0;
        const choose = (): number => numbers[next++ % numbers.length] as number;
        const attributes = { ...message.attributes, ...more };
        if (/^[[{]/.test(message.body) && message.body !== "{uri:") {
          const body = JSON.stringify(replaced(JSON.parse(message.body), choose, by));
          readBoth({ body, attributes: message.attributes }, body);
          if (readEnvelope({ body, attributes: message.attributes }).kind === "read") stillRead++;
        }
        const bytes = new TextEncoder().encode(message.body);
        if (bytes.length === 0) return;
        const cut = bytes.slice(0, choose() % bytes.length);
        readBoth({ body: cut, attributes }, new TextDecoder().decode(cut));
        bytes[choose() % bytes.length] = choose() % 256;
        readBoth({ body: bytes, attributes }, new TextDecoder().decode(bytes));
      }),
      { numRuns: 1_000 },
    );
    assert.ok(stillRead > 50, `only ${stillRead} changed messages were still read: nothing was tried`);
  });
});

describe("what a parser of URLs would silently change is refused", () => {
  for (const uri of [
    "https://host/a\\b.nc",
    "https://host\\..\\b.nc",
    "https://host/a\tb.nc",
    "https://host/a\nb.nc",
    "https://host/a.nc ",
    "https://host/\ud800.nc",
  ]) {
    test(JSON.stringify(uri), () => {
      const reading = readEnvelope({ body: JSON.stringify({ uri }) });
      assert.ok(reading.kind === "read" && reading.told.length === 0);
      assert.match(reading.passedOver[0] as string, /has characters that no uri has$/);
    });
  }

  for (const key of ["a\\b.nc", "a\tb.nc", "a\u0000b.nc", "a\ud800.nc"]) {
    test(`the key ${JSON.stringify(key)}`, () => {
      const detail = { bucket: { name: "bucket" }, object: { key } };
      const reading = readEnvelope({ body: JSON.stringify({ "detail-type": "Object Created", source: "aws.s3", detail }) });
      assert.ok(reading.kind === "read" && reading.told.length === 0);
      assert.match(reading.passedOver[0] as string, /has characters that no uri has$/);
    });
  }
});

describe("bounds", () => {
  const record = (key: string) => ({ eventName: "ObjectCreated:Put", s3: { bucket: { name: "bucket" }, object: { key } } });
  const event = (records: number) => JSON.stringify({ Records: Array.from({ length: records }, (_, at) => record(`${at}`)) });
  const toldBy = (body: string): number | string => {
    const reading = readEnvelope({ body });
    return reading.kind === "read" ? reading.told.length : reading.reason;
  };

  test("256 KiB, counted in bytes", () => {
    const uri = (bytes: number) => `{"uri":"https://host/a.nc"}${" ".repeat(bytes - 27)}`;
    assert.equal(toldBy(uri(262_144)), 1);
    assert.equal(toldBy(uri(262_145)), "a message of 262145 bytes; expected at most 262144");
    assert.equal(toldBy(`"${"é".repeat(131_072)}"`), "a message of 262146 bytes; expected at most 262144");
  });

  test("1 000 records", () => {
    assert.equal(toldBy(event(1_000)), 1_000);
    assert.equal(toldBy(event(1_001)), "an event of 1001 records; expected 1 to 1000");
  });

  test("1 000 records of a batch together", () => {
    const batch = (events: number) =>
      JSON.stringify(Array.from({ length: events }, () => ({ specversion: "1.0", type: "x", data: JSON.parse(event(100)) })));
    assert.equal(toldBy(batch(10)), 1_000);
    assert.equal(toldBy(batch(11)), "1100 records in a batch; expected at most 1000");
  });

  test("4 096 characters of a uri, counted as it is told", () => {
    const key = (characters: number) => JSON.stringify({ Records: [record("x".repeat(characters))] });
    assert.equal(toldBy(key(4_096 - "s3://bucket/".length)), 1);
    assert.equal(toldBy(key(4_097 - "s3://bucket/".length)), 0);
    assert.equal(toldBy(JSON.stringify({ Records: [record(encodeURIComponent("é".repeat(1_000)))] })), 0);
  });

  test("what a reason shows of a message: 80 characters, no line breaks, nothing that may be a secret", () => {
    const reasonOf = (body: string): string => String(toldBy(body)).split("; expected")[0] as string;
    assert.equal(reasonOf("x".repeat(5_000)), `"${"x".repeat(77)}…"`);
    assert.equal(reasonOf('a\nb"c'), '"a·b·c"');
    assert.equal(reasonOf("see https://user:secret@host/a.nc"), '"see https://…@host/a.nc"');
    assert.equal(reasonOf(`https://user:${"secret/".repeat(100)}@host/a`), '"https://…@host/a"');
    assert.equal(reasonOf("https://host/a?X-Amz-Signature=secret"), '"https://host/a?…"');
  });

  test("rows of slashes as long as a message are read in one go", () => {
    const row = "/".repeat(200_000);
    assert.equal(toldBy(`20230404091412 https://host${row}x a.nc`), 0);
    assert.equal(toldBy(`20230404091412 https://host${row} ${"/".repeat(50_000)}a.nc`), 1);
    assert.equal(toldBy(JSON.stringify({ Records: Array.from({ length: 100 }, () => record(`..${"//".repeat(1_000)}`)) })), 0);
  });

  test("JSON as deep as its bytes allow", () => {
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    assert.equal(toldBy(deep), "a list of something else; expected a list of CloudEvents");
    assert.match(String(toldBy(`{"uri":${deep}}`)), /^uri: /);
    assert.match(String(toldBy(`{"specversion":"1.0","type":"x","data":{"x":${deep}}}`)), /^an object with the fields "x"/);
  });
});
