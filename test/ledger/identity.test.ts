import assert from "node:assert/strict";
import { test } from "node:test";
import { revisionIdentity } from "../../src/ledger/index.ts";

const lastModifiedMs = Date.UTC(2017, 5, 5, 12, 0, 1);

test("a revision is known by the strongest thing that its source states", () => {
  const checksum = { algorithm: "sha256", value: "AB" };
  assert.equal(revisionIdentity({ size: 3, etag: '"x"', lastModifiedMs, checksum }), 'etag:"x":3');
  assert.equal(revisionIdentity({ size: 3, lastModifiedMs, checksum }), "sha256:ab:3");
  assert.equal(revisionIdentity({ size: 3, lastModifiedMs }), "size:3:2017-06-05T12:00:01.000Z");
  assert.equal(revisionIdentity({ size: 3 }), "size:3");
});

test("a weak etag says less than a checksum, and more than nothing", () => {
  const weak = { size: 3, etag: 'W/"x"', lastModifiedMs };
  assert.equal(revisionIdentity({ ...weak, checksum: { algorithm: "md5", value: "cd" } }), "md5:cd:3");
  assert.equal(revisionIdentity(weak), 'size:3:2017-06-05T12:00:01.000Z:W/"x"');
});
