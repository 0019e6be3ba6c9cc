import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isFreshetError } from "../../src/errors/index.ts";
import { PUBLICATION_KINDS, type RevisionId } from "../../src/ledger/index.ts";
import { aPublication, aRevision, type LedgerBench } from "./ledger-bench.ts";

const isConflict = (error: unknown) => isFreshetError(error, "conflict");

/** What waits to be published, and what is. */
export function publicationContract(bench: LedgerBench): void {
  describe("the queue of the dataset workflow", () => {
    test("gives what is ready or withdrawn after the cursor, in the order of their last change", async () => {
      const [a, b, c, d] = ["a", "b", "c", "d"].map((key) => aRevision({ key })) as [
        RevisionId,
        RevisionId,
        RevisionId,
        RevisionId,
      ];
      await bench.ledger.hearAll([a, b, c, d]);
      await bench.ledger.recordAll([c, a, d].map((id) => ({ ...id, state: "ready" as const })));
      await bench.ledger.record({ ...d, state: "withdrawn", reason: "404" });
      await bench.ledger.record({ ...b, state: "quarantined" });
      const read = async (after: number, limit = 10) =>
        (await bench.ledger.readyAfter("ostia", after, limit)).map(({ key, state, changedSeq }) => [key, state, changedSeq]);
      assert.deepEqual(await read(0), [
        ["c", "ready", 5],
        ["a", "ready", 6],
        ["d", "withdrawn", 8],
      ]);
      assert.deepEqual(await read(5), [
        ["a", "ready", 6],
        ["d", "withdrawn", 8],
      ]);
      assert.deepEqual(await read(0, 1), [["c", "ready", 5]]);
      await bench.ledger.record({ ...c, state: "ready", uri: "https://mirror/c" });
      assert.deepEqual(await read(8), [["c", "ready", 10]]);
      await bench.ledger.recordPublication(aPublication(), [a, c]);
      assert.deepEqual(await read(0), [["d", "withdrawn", 8]]);
      assert.deepEqual(await bench.ledger.readyAfter("another", 0, 10), []);
    });

    test("knows for each product what it has not published", async () => {
      const [a, b] = [aRevision({ key: "a" }), aRevision({ key: "b" })];
      await bench.hearReady(a);
      await bench.hearReady(b);
      const unpublished = async (product?: string, limit?: number) =>
        (await bench.ledger.unpublished("ostia", product, limit)).map(({ key }) => key);
      assert.deepEqual(await unpublished(), ["a", "b"]);
      assert.deepEqual(await unpublished(undefined, 1), ["a"]);
      await bench.ledger.recordPublication(aPublication(), [a]);
      assert.deepEqual(await unpublished(), ["b"]);
      assert.deepEqual(await unpublished("timeseries"), ["b"]);
      assert.deepEqual(await unpublished("table"), ["b", "a"]);
      await bench.ledger.recordPublication(aPublication({ product: "table" }), [a, b]);
      assert.deepEqual(await unpublished("table"), []);
      assert.deepEqual(await unpublished("timeseries"), ["b"]);
    });
  });

  describe("publications", () => {
    test("publish their members and supersede what was there", async () => {
      const [first, second] = [aRevision(), aRevision({ identity: "etag:2" })];
      await bench.hearReady(first);
      await bench.ledger.recordPublication(aPublication(), [first]);
      await bench.hearReady(second);
      await bench.ledger.recordPublication(aPublication({ sequence: 2, granules: 7 }), [second]);
      const [old, current] = await bench.ledger.revisionsOf("ostia", first.key);
      assert.deepEqual(
        [old?.state, old?.reason, old?.published],
        ["superseded", "replaced in timeseries 2", { product: "timeseries", sequence: 1 }],
      );
      assert.deepEqual([current?.state, current?.published], ["published", { product: "timeseries", sequence: 2 }]);
      assert.deepEqual(await bench.ledger.publications("ostia", "timeseries", 10), [
        aPublication({ sequence: 2, granules: 7 }),
        aPublication(),
      ]);
      assert.deepEqual(await bench.ledger.publications("ostia", undefined, 1), [aPublication({ sequence: 2, granules: 7 })]);
      assert.deepEqual(await bench.ledger.membersOf("ostia", "timeseries", 1), [{ key: first.key, identity: "etag:1" }]);
      const history = await bench.ledger.history("ostia", first.key);
      assert.deepEqual(history.map(({ state, identity }) => `${identity} ${state}`).slice(-2), [
        "etag:2 published",
        "etag:1 superseded",
      ]);
      assert.deepEqual(history.at(-2)?.publication, { product: "timeseries", sequence: 2 });
    });

    test("recorded twice change nothing", async () => {
      const id = aRevision();
      await bench.hearReady(id);
      await bench.ledger.recordPublication(aPublication(), [id]);
      const before = [await bench.ledger.revision(id), await bench.ledger.lastSeq("ostia")];
      bench.nowMs += 5;
      await bench.ledger.recordPublication(aPublication({ atMs: 2_000 }), [id]);
      assert.deepEqual([await bench.ledger.revision(id), await bench.ledger.lastSeq("ostia")], before);
      assert.deepEqual(await bench.ledger.publications("ostia", "timeseries", 10), [aPublication()]);
    });

    test("say why they were made", async () => {
      for (const [index, kind] of PUBLICATION_KINDS.entries())
        await bench.ledger.recordPublication(aPublication({ sequence: index + 1, kind }), []);
      const kindless = aPublication({ sequence: 9 });
      await bench.ledger.recordPublication({ ...kindless, kind: undefined }, []);
      const kinds = (await bench.ledger.publications("ostia", "timeseries", 10)).map(({ kind }) => kind);
      assert.deepEqual(kinds.toReversed(), [...PUBLICATION_KINDS, "publication"]);
    });

    test("of one number but two snapshots are a conflict", async () => {
      const id = aRevision();
      await bench.hearReady(id);
      await bench.ledger.recordPublication(aPublication(), [id]);
      const other = aPublication({ snapshot: "OTHER" });
      await assert.rejects(bench.ledger.recordPublication(other, [id]), /found snapshot SNAPSHOT1, .*expected snapshot OTHER/);
    });

    test("that come late do not take the product back", async () => {
      const [a1, a2, b] = [aRevision(), aRevision({ identity: "etag:2" }), aRevision({ key: "b" })];
      for (const id of [a1, a2, b]) await bench.hearReady(id);
      await bench.ledger.recordPublication(aPublication({ sequence: 6 }), [a2]);
      await bench.ledger.recordPublication(aPublication({ sequence: 5 }), [a1, b]);
      assert.deepEqual(await Promise.all([a1, a2, b].map(bench.stateOf)), ["superseded", "published", "published"]);
      assert.deepEqual(await bench.ledger.unpublished("ostia", "timeseries"), []);
    });

    test("that come late do not bring back what was withdrawn since", async () => {
      const [a, b] = [aRevision({ key: "a" }), aRevision({ key: "b" })];
      await bench.hearReady(a);
      await bench.hearReady(b);
      await bench.ledger.record({ ...a, state: "withdrawn" });
      await bench.ledger.recordPublication(aPublication({ sequence: 6 }), [b]);
      await bench.ledger.recordPublication(aPublication({ sequence: 5 }), [a]);
      assert.equal(await bench.stateOf(a), "withdrawn");
    });

    test("of an earlier layout publish earlier revisions again", async () => {
      const [first, second] = [aRevision(), aRevision({ identity: "etag:2" })];
      for (const [index, id] of [first, second].entries()) {
        await bench.hearReady(id);
        await bench.ledger.recordPublication(aPublication({ sequence: index + 1 }), [id]);
      }
      await bench.ledger.recordPublication(aPublication({ sequence: 3 }), [first]);
      assert.deepEqual(await Promise.all([first, second].map(bench.stateOf)), ["published", "superseded"]);
    });

    test("of one product leave what another one still shows", async () => {
      const [first, second] = [aRevision(), aRevision({ identity: "etag:2" })];
      await bench.hearReady(first);
      await bench.ledger.recordPublication(aPublication({ product: "table" }), [first]);
      await bench.hearReady(second);
      await bench.ledger.recordPublication(aPublication(), [second]);
      assert.deepEqual(await Promise.all([first, second].map(bench.stateOf)), ["published", "published"]);
    });

    test("refuse members that cannot be there, and then leave nothing behind", async () => {
      const [known, unknown] = [aRevision(), aRevision({ key: "unknown" })];
      await bench.hearReady(known);
      await assert.rejects(bench.ledger.recordPublication(aPublication(), [known, unknown]), (error) =>
        isFreshetError(error, "corrupt"),
      );
      await bench.hear(unknown);
      await assert.rejects(bench.ledger.recordPublication(aPublication(), [known, unknown]), isConflict);
      await assert.rejects(bench.ledger.recordPublication(aPublication(), [known, { ...known, identity: "etag:2" }]), RangeError);
      assert.equal(await bench.stateOf(known), "ready");
      assert.deepEqual(await bench.ledger.publications("ostia", "timeseries", 10), []);
    });
  });
}
