import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { allowedUri } from "../../src/acquisition/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";

const SOURCE = { name: "agency", at: "https://agency.example/data/", allow: ["file:///data/in/"] };

describe("an announced uri with a query string", () => {
  const cases: readonly [uri: string, shown: string][] = [
    ["https://agency.example/data/a.nc?X-Amz-Signature=hush", "https://agency.example/data/a.nc?…"],
    ["https://agency.example/data/a.nc?hush#part", "https://agency.example/data/a.nc?…"],
    ["https://agency.example/elsewhere/a.nc?hush", "https://agency.example/elsewhere/a.nc?…"],
    ["https://agency.example/data/a%2fb.nc?hush", "https://agency.example/data/a%2fb.nc?…"],
    ["file:///data/in/a.nc?hush", "file:///data/in/a.nc?…"],
  ];
  for (const [uri, shown] of cases) {
    test(`is refused, and the query is not shown: ${uri}`, () => {
      assert.throws(
        () => allowedUri(SOURCE, uri),
        (error: unknown) => {
          assert.ok(isFreshetError(error, "source-refused"));
          assert.equal(
            error.message,
            `an announced uri may not have a query string, which may hold a secret: found ${shown}, expected a uri without ?. Announce the uri without it; a ? in a name is written %3F`,
          );
          return true;
        },
      );
    });
  }

  test("is not one with an escaped question mark in its name", () => {
    assert.equal(allowedUri(SOURCE, "https://agency.example/data/a%3Fb.nc"), "https://agency.example/data/a%3Fb.nc");
  });
});
