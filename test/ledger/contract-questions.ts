import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Ledger, REVISION_STATES, type RevisionId, type RevisionState } from "../../src/ledger/index.ts";
import { aRevision, type LedgerBench } from "./ledger-bench.ts";

/** What one can ask of a ledger. */
export function questionContract(bench: LedgerBench): void {
  describe("questions", () => {
    test("granules come by key, page by page, never divided", async () => {
      const ids = ["b", "a", "c"].flatMap((key) => ["etag:2", "etag:1"].map((identity) => aRevision({ key, identity })));
      await bench.ledger.hearAll([...ids, aRevision({ dataset: "mur", key: "a" })].filter(({ dataset }) => dataset === "ostia"));
      await bench.ledger.record({ ...(ids[3] as RevisionId), state: "skipped" });
      const read = async (query: Parameters<Ledger["granules"]>[1]) =>
        (await bench.ledger.granules("ostia", query)).map(({ key, identity }) => `${key} ${identity}`);
      assert.deepEqual(await read({ limit: 2 }), ["a etag:2", "a etag:1", "b etag:2", "b etag:1"]);
      assert.deepEqual(await read({ limit: 2, afterKey: "b" }), ["c etag:2", "c etag:1"]);
      assert.deepEqual(await read({ limit: 9, afterKey: "c" }), []);
      assert.deepEqual(await read({ limit: 9, state: "skipped" }), ["a etag:1"]);
      assert.deepEqual(await read({ limit: 1, state: "heard", afterKey: "a" }), ["b etag:2", "b etag:1"]);
    });

    test("counts name every state", async () => {
      await bench.hearReady(aRevision({ key: "a" }));
      await bench.hear(aRevision({ key: "b" }));
      const none = Object.fromEntries(REVISION_STATES.map((state) => [state, 0]));
      assert.deepEqual(await bench.ledger.counts("ostia"), { ...none, heard: 1, ready: 1 });
      assert.deepEqual(await bench.ledger.counts("nobody"), none);
    });

    test("a past moment is seen as it was", async () => {
      const [a, b] = [aRevision({ key: "a" }), aRevision({ key: "b" })];
      await bench.hear(a);
      const heardMs = bench.nowMs;
      bench.nowMs += 100;
      await bench.ledger.record({ ...a, state: "ready", uri: "https://mirror/a" });
      await bench.hear(b);
      const [past] = await bench.ledger.revisionsAsOf("ostia", "a", heardMs + 99);
      assert.deepEqual([past?.state, past?.uri, past?.changedSeq], ["heard", "https://agency/a", 1]);
      const [now] = await bench.ledger.revisionsAsOf("ostia", "a", heardMs + 100);
      assert.deepEqual(now, await bench.ledger.revision(a));
      assert.deepEqual(await bench.ledger.revisionsAsOf("ostia", "a", heardMs - 1), []);
      const keys = async (asOfMs: number, state?: RevisionState) =>
        (await bench.ledger.granules("ostia", { limit: 10, asOfMs, state })).map(({ key, state: then }) => `${key} ${then}`);
      assert.deepEqual(await keys(heardMs), ["a heard"]);
      assert.deepEqual(await keys(bench.nowMs), ["a ready", "b heard"]);
      assert.deepEqual(await keys(bench.nowMs, "heard"), ["b heard"]);
    });

    test("ledger time does not run backwards when a clock does", async () => {
      const id = aRevision();
      await bench.hear(id);
      bench.nowMs -= 60_000;
      await bench.ledger.record({ ...id, state: "ready" });
      const times = (await bench.ledger.history("ostia", id.key)).map(({ atMs }) => atMs);
      assert.deepEqual(times, [1_000_000, 1_000_000]);
    });

    test("keys and identities may hold anything that text may", async () => {
      const id = aRevision({ key: "ø'\"%_\\ {x}", identity: 'etag:W/"a\'b"' });
      await bench.hearReady(id);
      assert.equal((await bench.ledger.revision(id))?.identity, id.identity);
      assert.equal((await bench.ledger.granules("ostia", { limit: 1 }))[0]?.key, id.key);
    });
  });
}
