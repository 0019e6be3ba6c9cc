import assert from "node:assert/strict";
import { test } from "node:test";
import { type Outcome, Tally } from "../../src/starters/delivery/tally.ts";

const NONE = { unknown: [], passedOver: [] };
const unknown = (...uris: string[]): Outcome => ({ kind: "nothing-matches", unknown: uris, passedOver: [] });

test("every message is counted once by how it ended", () => {
  const tally = new Tally();
  tally.end({ ...NONE, kind: "held", granules: 2 });
  tally.end({ ...NONE, kind: "held", granules: 1 });
  tally.end({ ...NONE, kind: "nothing-matches" });
  tally.end({ kind: "passed-over", passedOver: ["S3's test event"] });
  tally.end({ kind: "malformed", reason: "x" });
  tally.end({ kind: "not-taken", reason: "x" });
  assert.deepEqual(tally.facts(), {
    messages: 6,
    held: 2,
    nothingMatches: 1,
    passedOver: 1,
    malformed: 1,
    notTaken: 1,
    granules: 3,
    unknownNames: 0,
    lastPassedOver: ["S3's test event"],
  });
});

test("of names that nobody knows the last hundred are kept, shortened and without what may be secret", () => {
  const tally = new Tally();
  for (let index = 0; index < 250; index++) tally.end(unknown(`https://example.org/${index}`));
  assert.equal(tally.counts.unknownNames, 250);
  assert.equal(tally.unknownNames.length, 100);
  assert.deepEqual([tally.unknownNames[0], tally.unknownNames.at(-1)], ["https://example.org/150", "https://example.org/249"]);
  assert.deepEqual(
    tally.facts().lastUnknown,
    [247, 248, 249].map((index) => `https://example.org/${index}`),
  );

  tally.end(unknown("https://user:password@example.org/a?X-Amz-Signature=1#part"));
  assert.equal(tally.unknownNames.at(-1), "https://example.org/a");
  tally.end(unknown(`https://example.org/${"a".repeat(4_000)}.nc`));
  assert.equal(tally.unknownNames.at(-1)?.length, 301);
  assert.match(tally.unknownNames.at(-1) ?? "", /^https:\/\/example\.org\/a+…a+\.nc$/);
});
