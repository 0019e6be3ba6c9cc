import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isFreshetError } from "../../src/errors/index.ts";
import {
  REVISION_STATES,
  type Revision,
  type RevisionEvent,
  type RevisionId,
  type RevisionState,
} from "../../src/ledger/index.ts";
import { statesAfter } from "../../src/ledger/transitions.ts";
import { aPublication, aRevision, type LedgerBench } from "./ledger-bench.ts";

const isConflict = (error: unknown) => isFreshetError(error, "conflict");

/** Hearing and recording. */
export function recordingContract(bench: LedgerBench): void {
  describe("hearing", () => {
    test("keeps what is known of a new revision", async () => {
      const id = aRevision();
      const facts = { uri: "https://agency/a.nc", size: 12, etag: '"x"', lastModifiedMs: 7, fields: { valid: 5, kind: "n" } };
      const heard = await bench.ledger.hear({ ...id, ...facts, reason: "webhook", detail: { by: "agency" } });
      const expected = { ...id, ...facts, state: "heard", reason: "webhook", heardMs: bench.nowMs, changedMs: bench.nowMs };
      assert.deepEqual(heard, { isNew: true, revision: { ...expected, heardSeq: 1, changedSeq: 1 } });
      assert.deepEqual(await bench.ledger.revision(id), heard.revision);
      const [entry] = await bench.ledger.history(id.dataset, id.key);
      assert.deepEqual(entry?.detail, { by: "agency" });
      assert.deepEqual(entry?.facts, facts);
    });

    test("leaves a known revision as it is, whatever its state, however it is announced", async () => {
      const id = aRevision();
      await bench.hearReady(id);
      const before = await bench.ledger.revision(id);
      const again = await bench.ledger.hear({ ...id, uri: "https://mirror/a.nc" });
      assert.deepEqual(again, { isNew: false, revision: before });
      assert.equal(await bench.ledger.lastSeq(id.dataset), 2);
    });

    test("takes many at once, answers in their order, and finds twins inside the batch", async () => {
      await bench.hear(aRevision({ key: "b" }));
      const keys = ["c", "b", "a", "c"];
      const heard = await bench.ledger.hearAll(keys.map((key) => aRevision({ key })));
      assert.deepEqual(
        heard.map(({ isNew, revision }) => [revision.key, isNew]),
        [
          ["c", true],
          ["b", false],
          ["a", true],
          ["c", false],
        ],
      );
    });

    test("takes 2 500 in one transaction", async () => {
      const ids = Array.from({ length: 2_500 }, (_, index) => aRevision({ key: String(index).padStart(4, "0") }));
      await bench.ledger.hearAll(ids);
      await bench.ledger.recordAll(ids.map((id) => ({ ...id, state: "ready" as const })));
      await bench.ledger.recordPublication(aPublication(), ids);
      assert.equal((await bench.ledger.counts("ostia")).published, 2_500);
      assert.equal(await bench.ledger.lastSeq("ostia"), 7_500);
      assert.equal((await bench.ledger.membersOf("ostia", "timeseries", 1)).length, 2_500);
    });

    test("refuses a batch of two datasets", async () => {
      await assert.rejects(bench.ledger.hearAll([aRevision(), aRevision({ dataset: "mur" })]), RangeError);
    });
  });

  describe("recording", () => {
    test("moves the revision, and adds to its facts", async () => {
      const id = aRevision();
      await bench.hear(id);
      bench.nowMs += 10;
      const scan = { uri: "file:///scans/1", sha256: "ab" };
      const recorded = await bench.ledger.record({ ...id, state: "ready", fields: { valid: 6 }, scan });
      assert.deepEqual(recorded, { seq: 2, appended: true });
      const revision = await bench.ledger.revision(id);
      const { state, uri, fields, heardMs, changedMs, heardSeq, changedSeq } = revision as Revision;
      assert.deepEqual(
        { state, uri, fields, scan: revision?.scan },
        { state: "ready", uri: `https://agency/${id.key}`, fields: { valid: 6 }, scan },
      );
      assert.deepEqual(
        { heardMs, changedMs, heardSeq, changedSeq },
        { heardMs: bench.nowMs - 10, changedMs: bench.nowMs, heardSeq: 1, changedSeq: 2 },
      );
    });

    test("the same step again changes nothing", async () => {
      const id = aRevision();
      await bench.hear(id);
      const event: RevisionEvent = { ...id, state: "quarantined", reason: "units", detail: { b: 1, a: [2] } };
      const first = await bench.ledger.record(event);
      const before = await bench.ledger.revision(id);
      bench.nowMs += 1;
      assert.deepEqual(await bench.ledger.record({ ...event, detail: { a: [2], b: 1 } }), { seq: first.seq, appended: false });
      assert.deepEqual(await bench.ledger.revision(id), before);
      assert.equal((await bench.ledger.history(id.dataset, id.key)).length, 2);
    });

    test("the late twin of a step does not take the revision back", async () => {
      const id = aRevision();
      await bench.hearReady(id);
      await bench.ledger.record({ ...id, state: "quarantined", reason: "drift" });
      assert.deepEqual(await bench.ledger.record({ ...id, state: "ready" }), { seq: 2, appended: false });
      assert.equal(await bench.stateOf(id), "quarantined");
    });

    test("the same step after the revision was opened again is a new one", async () => {
      const id = aRevision();
      await bench.hear(id);
      for (const [state, reason] of [
        ["quarantined", "units"],
        ["heard", "retry"],
        ["quarantined", "units"],
        ["heard", "retry"],
      ] as const) {
        assert.equal((await bench.ledger.record({ ...id, state, reason })).appended, true);
        assert.equal((await bench.ledger.record({ ...id, state, reason })).appended, false);
        assert.equal(await bench.stateOf(id), state);
      }
    });

    test("`once` tells a step from its twin where the state would not", async () => {
      const id = aRevision();
      await bench.hear(id);
      const retry = (once: string) => bench.ledger.record({ ...id, state: "heard", reason: "retry", once });
      await bench.ledger.record({ ...id, state: "quarantined", reason: "units" });
      await retry("decision 1");
      await bench.ledger.record({ ...id, state: "quarantined", reason: "units" });
      assert.deepEqual(await retry("decision 1"), { seq: 3, appended: false });
      assert.equal(await bench.stateOf(id), "quarantined");
      assert.equal((await retry("decision 2")).appended, true);
      assert.equal(await bench.stateOf(id), "heard");
    });

    test("the epoch is a fact like others: kept until an event brings another, and part of what a repeat is", async () => {
      const id = aRevision();
      await bench.hear(id);
      assert.equal((await bench.ledger.revision(id))?.epoch, undefined);
      const ready = (epoch: number) => bench.ledger.record({ ...id, state: "ready", epoch });
      assert.deepEqual(await ready(2), { seq: 2, appended: true });
      assert.deepEqual(await ready(2), { seq: 2, appended: false });
      assert.deepEqual(await ready(3), { seq: 3, appended: true });
      await bench.ledger.record({ ...id, state: "quarantined" });
      assert.equal((await bench.ledger.revision(id))?.epoch, 3);
      assert.deepEqual(
        (await bench.ledger.history(id.dataset, id.key)).map(({ facts }) => facts.epoch),
        [undefined, 2, 3, undefined],
      );
      assert.equal((await bench.ledger.revisionsAsOf(id.dataset, id.key, bench.nowMs))[0]?.epoch, 3);
    });

    test("an accepted quarantine may end in the state that it was in before", async () => {
      const id = aRevision();
      await bench.hearReady(id);
      await bench.ledger.record({ ...id, state: "quarantined", reason: "drift" });
      assert.equal((await bench.ledger.record({ ...id, state: "ready", once: "accepted" })).appended, true);
      assert.equal(await bench.stateOf(id), "ready");
    });

    test("new facts in the same state are a new step", async () => {
      const id = aRevision();
      await bench.hearReady(id);
      assert.deepEqual(await bench.ledger.record({ ...id, state: "ready", uri: "https://mirror/a.nc" }), {
        seq: 3,
        appended: true,
      });
      assert.equal((await bench.ledger.revision(id))?.uri, "https://mirror/a.nc");
    });

    test("refuses what nobody has heard of", async () => {
      await assert.rejects(bench.ledger.record({ ...aRevision(), state: "ready" }), (error) => {
        assert.ok(isFreshetError(error, "conflict"));
        assert.match(error.message, /a revision that is unknown cannot become ready: found no such revision/);
        return true;
      });
      assert.equal(await bench.ledger.revision(aRevision()), undefined);
      assert.equal(await bench.ledger.lastSeq("ostia"), 0);
    });

    test("a batch is all or nothing", async () => {
      const ids = ["a", "b"].map((key) => aRevision({ key }));
      await bench.ledger.hearAll(ids);
      const events = [...ids, aRevision({ key: "nobody" })].map((id) => ({ ...id, state: "ready" as const }));
      await assert.rejects(bench.ledger.recordAll(events), isConflict);
      assert.deepEqual(await Promise.all(ids.map(bench.stateOf)), ["heard", "heard"]);
      const recorded = await bench.ledger.recordAll(events.slice(0, 2));
      assert.deepEqual(recorded, [
        { seq: 3, appended: true },
        { seq: 4, appended: true },
      ]);
    });

    test("every transition of the table is taken, every other one refused, and nothing is left behind", async () => {
      for (const from of REVISION_STATES) {
        for (const to of REVISION_STATES) {
          const id = aRevision({ dataset: `${from}-${to}` });
          await bring(id, from);
          const isAllowed = statesAfter(from).includes(to);
          const before = await bench.ledger.revision(id);
          await (isAllowed ? say(id, to) : assert.rejects(say(id, to), isConflict, `${from} → ${to}`));
          assert.equal(await bench.stateOf(id), isAllowed ? to : from, `${from} → ${to}`);
          if (!isAllowed) assert.deepEqual(await bench.ledger.revision(id), before);
        }
      }
    });

    async function bring(id: RevisionId, state: RevisionState): Promise<void> {
      await bench.hearReady(id);
      if (state === "heard") await bench.ledger.record({ ...id, state, reason: "again" });
      else if (state === "published") await bench.ledger.recordPublication(aPublication({ dataset: id.dataset }), [id]);
      else await bench.ledger.record({ ...id, state, reason: "because" });
    }

    async function say(id: RevisionId, state: RevisionState): Promise<void> {
      if (state !== "published") await bench.ledger.record({ ...id, state, reason: "next" });
      else await bench.ledger.recordPublication(aPublication({ dataset: id.dataset, sequence: 2 }), [id]);
    }
  });
}
