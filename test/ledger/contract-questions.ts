import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Ledger, REVISION_STATES, type Revision, type RevisionId, type RevisionState } from "../../src/ledger/index.ts";
import { aPublication, aRevision, type LedgerBench } from "./ledger-bench.ts";

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

    test("changes come in their order, of the states asked for, after a number", async () => {
      const ids = ["a", "b", "c", "d"].map((key) => aRevision({ key }));
      await bench.ledger.hearAll([...ids, aRevision({ key: "e" })]);
      const [a, b, c, d] = ids as [RevisionId, RevisionId, RevisionId, RevisionId];
      await bench.ledger.record({ ...d, state: "ready" });
      await bench.ledger.record({ ...b, state: "quarantined" });
      await bench.ledger.record({ ...a, state: "ready" });
      await bench.ledger.record({ ...c, state: "withdrawn" });
      const read = async (afterSeq: number, states: readonly RevisionState[], limit = 10) =>
        (await bench.ledger.changedAfter("ostia", afterSeq, states, limit)).map(({ key, changedSeq }) => `${key} ${changedSeq}`);
      assert.deepEqual(await read(0, ["withdrawn", "ready"]), ["d 6", "a 8", "c 9"]);
      assert.deepEqual(await read(6, ["ready", "withdrawn", "ready"]), ["a 8", "c 9"]);
      assert.deepEqual(await read(0, REVISION_STATES), ["e 5", "d 6", "b 7", "a 8", "c 9"]);
      assert.deepEqual(await read(5, REVISION_STATES, 2), ["d 6", "b 7"]);
      assert.deepEqual(await read(9, REVISION_STATES), []);
      assert.deepEqual(await read(0, []), []);
      assert.deepEqual(await read(0, ["ready"], 0), []);
    });

    test("the newest come first, whatever their state", async () => {
      await bench.hearReady(aRevision({ key: "a" }));
      await bench.hear(aRevision({ key: "b" }));
      await bench.ledger.record({ ...aRevision({ key: "a" }), state: "skipped" });
      await bench.hear(aRevision({ key: "c" }));
      const read = async (limit: number) =>
        (await bench.ledger.newest("ostia", limit)).map(({ key, state }) => `${key} ${state}`);
      assert.deepEqual(await read(10), ["c heard", "a skipped", "b heard"]);
      assert.deepEqual(await read(2), ["c heard", "a skipped"]);
      assert.deepEqual(await bench.ledger.newest("mur", 10), []);
    });

    test("what may stand in products comes by key, page by page, never divided", async () => {
      const keys = ["b", "B", "a", "ä", "c", "d"];
      for (const key of keys) await bench.hearReady(aRevision({ key }));
      await bench.ledger.recordPublication(aPublication(), [aRevision({ key: "b" }), aRevision({ key: "c" })]);
      await bench.hearReady(aRevision({ key: "b", identity: "etag:2" }));
      await bench.hear(aRevision({ key: "bb" }));
      await bench.ledger.record({ ...aRevision({ key: "d" }), state: "withdrawn" });
      const read = async (limit: number, afterKey?: string) =>
        (await bench.ledger.standing("ostia", { limit, afterKey })).map(({ key, identity }) => `${key} ${identity}`);
      assert.deepEqual(await read(10), ["B etag:1", "a etag:1", "b etag:1", "b etag:2", "c etag:1", "ä etag:1"]);
      assert.deepEqual(await read(2, "B"), ["a etag:1", "b etag:1", "b etag:2"]);
      assert.deepEqual(await read(2, "b"), ["c etag:1", "ä etag:1"]);
      assert.deepEqual(await read(2, "ä"), []);
    });

    test("long answers are the same as short ones", async () => {
      const ids = Array.from({ length: 1_500 }, (_, index) => aRevision({ key: `k${String(index).padStart(5, "0")}` }));
      await bench.ledger.hearAll(ids);
      await bench.ledger.recordAll(ids.map((id) => ({ ...id, state: "ready" as const, epoch: 3 })));
      const [whole, inPages] = [await bench.ledger.granules("ostia", { limit: 2_000 }), [] as Revision[]];
      for (let afterKey: string | undefined; inPages.length < ids.length; afterKey = inPages.at(-1)?.key)
        inPages.push(...(await bench.ledger.granules("ostia", { limit: 150, afterKey })));
      assert.equal(whole.length, ids.length);
      assert.deepEqual(inPages, whole);
      assert.deepEqual(await bench.ledger.standing("ostia", { limit: 2_000 }), whole);
      assert.deepEqual(await bench.ledger.changedAfter("ostia", 0, ["ready"], 2_000), whole);
      assert.deepEqual((await bench.ledger.newest("ostia", 2_000)).toReversed(), whole);
      assert.deepEqual(await bench.ledger.unpublished("ostia", "timeseries", 2_000), whole);
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
