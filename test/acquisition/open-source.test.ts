import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { s3ConnectionOf } from "../../src/acquisition/open-source.ts";
import type { Source } from "../../src/dataset/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";

const withEndpoint = (endpoint: string): Source => ({
  name: "agency",
  at: "s3://bucket/",
  allow: [],
  s3: { endpoint, region: "us-east-1", anonymous: false, pathStyle: true },
});

describe("how a source's objects are reached", () => {
  afterEach(() => {
    delete process.env.TEST_ENDPOINT;
  });

  test("is as the dataset file says, with what a name stands for", async () => {
    assert.equal(await s3ConnectionOf({}), undefined);
    assert.equal((await s3ConnectionOf(withEndpoint("https://s3.example.org")))?.endpoint, "https://s3.example.org");
    process.env.TEST_ENDPOINT = "http://127.0.0.1:9000";
    assert.deepEqual(await s3ConnectionOf(withEndpoint(`\${TEST_ENDPOINT}`)), withEndpoint("http://127.0.0.1:9000").s3);
  });

  for (const value of ["https://key:secret@s3.example.org", "https://s3.example.org/?token=secret", "secret", undefined]) {
    test(`a name that stands for ${value === undefined ? "nothing" : "something else"} is refused and not shown: ${value}`, async () => {
      if (value !== undefined) process.env.TEST_ENDPOINT = value;
      await assert.rejects(
        s3ConnectionOf(withEndpoint(`\${TEST_ENDPOINT}`)),
        (error) =>
          isFreshetError(error, "usage") && /TEST_ENDPOINT/.test(error.message) && !/:secret|=secret/.test(error.message),
      );
    });
  }
});
