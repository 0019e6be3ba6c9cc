import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { allowedUri } from "../../src/acquisition/index.ts";
import type { Source } from "../../src/dataset/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";

const SOURCE: Source = { name: "s", at: "https://host/ok/", allow: ["https://mirror:8443/x/", "file:///data/in/"] };

describe("uris that a source may announce", () => {
  for (const [announced, normal] of [
    ["https://host/ok/a.nc", "https://host/ok/a.nc"],
    ["https://HOST:443/ok/b/../a.nc", "https://host/ok/a.nc"],
    ["https://host/ok/./a%20b.nc", "https://host/ok/a%20b.nc"],
    ["https://host/ok/é.nc", "https://host/ok/%C3%A9.nc"],
    ["https://host/ok/a.nc#part", "https://host/ok/a.nc"],
    ["https://mirror:8443/x/a.nc", "https://mirror:8443/x/a.nc"],
    ["file:///data/in/a.nc", "file:///data/in/a.nc"],
    ["https:\\\\host\\ok\\a.nc", "https://host/ok/a.nc"],
  ] as const) {
    test(`${announced} is taken, as ${normal}`, () => assert.equal(allowedUri(SOURCE, announced), normal));
  }

  for (const announced of [
    "https://host/other/a.nc",
    "https://host/okay/a.nc",
    "https://host/ok",
    "https://host.evil/ok/a.nc",
    "https://evil/https://host/ok/a.nc",
    "https://host@evil/ok/a.nc",
    "https://user@host/ok/a.nc",
    "https://user:secret@host/ok/a.nc",
    "http://host/ok/a.nc",
    "https://host:8443/ok/a.nc",
    "https://mirror/x/a.nc",
    "https://host/ok/../secret",
    "https://host/ok/%2e%2e/secret",
    "https://host/ok/.%2E/secret",
    "https://host/ok/..%2fsecret",
    "https://host/ok/..%5csecret",
    "https://host/ok/a%00.nc",
    "https://host/ok/\\..\\..\\secret",
    "file:///data/in/../../etc/passwd",
    "file:///data/inside",
    "file://host/data/in/a.nc",
    "ftp://host/ok/a.nc",
    "data:text/plain,x",
    "/data/in/a.nc",
    "a.nc",
    "",
    "https://",
  ]) {
    test(`${JSON.stringify(announced)} is refused, and what is allowed is said`, () => {
      assert.throws(
        () => allowedUri(SOURCE, announced),
        (error) =>
          isFreshetError(error, "source-refused") &&
          /expected below https:\/\/host\/ok\/ or https:\/\/mirror:8443\/x\/ or file:\/\/\/data\/in\//.test(error.message) &&
          !error.message.includes("user:secret"),
      );
    });
  }

  test("a query string is refused without being shown", () => {
    assert.throws(
      () => allowedUri(SOURCE, "https://host/ok/a.nc?X-Amz-Signature=abc123"),
      (error) => isFreshetError(error, "source-refused") && /a\.nc\?…/.test(error.message) && !error.message.includes("abc123"),
    );
  });

  test("a very long uri is cut in the message", () => {
    assert.throws(
      () => allowedUri(SOURCE, "x".repeat(100_000)),
      (error) => isFreshetError(error, "source-refused") && error.message.length < 1_000,
    );
  });
});
