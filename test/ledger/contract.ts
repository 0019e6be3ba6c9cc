import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { isFreshetError } from "../../src/errors/index.ts";
import {
  type Ledger,
  type Publication,
  REVISION_STATES,
  type Revision,
  type RevisionEvent,
  type RevisionId,
  type RevisionState,
} from "../../src/ledger/index.ts";
import { statesAfter } from "../../src/ledger/transitions.ts";

/** Opens an empty ledger; the caller closes it. */
export type LedgerFactory = (now: () => number) => Promise<Ledger>;

export function aRevision(id: Partial<RevisionId> = {}): RevisionId {
  return { dataset: "ostia", key: "20170605T120000Z", identity: "etag:1", ...id };
}

export function aPublication(publication: Partial<Publication> = {}): Publication {
  const sequence = publication.sequence ?? 1;
  return {
    dataset: "ostia",
    product: "timeseries",
    sequence,
    snapshot: `SNAPSHOT${sequence}`,
    parent: sequence === 1 ? undefined : `SNAPSHOT${sequence - 1}`,
    layoutHash: `hash-of-layout-${sequence}`,
    atMs: 1_000,
    granules: 1,
    message: `publication ${sequence}`,
    ...publication,
  };
}

const isConflict = (error: unknown) => isFreshetError(error, "conflict");

/** What every ledger has to do, whatever database it is in. */
export function ledgerContract(name: string, open: LedgerFactory): void {
  describe(`the ledger on ${name}`, () => {
    let ledger: Ledger;
    let nowMs: number;
    beforeEach(async () => {
      nowMs = 1_000_000;
      ledger = await open(() => nowMs);
    });
    afterEach(() => ledger.close());

    const hear = (id: RevisionId) => ledger.hear({ ...id, uri: `https://agency/${id.key}`, fields: { valid: 5 } });
    const hearReady = async (id: RevisionId) => {
      await hear(id);
      await ledger.record({ ...id, state: "ready" });
    };
    const stateOf = async (id: RevisionId) => (await ledger.revision(id))?.state;

    describe("hearing", () => {
      test("keeps what is known of a new revision", async () => {
        const id = aRevision();
        const facts = { uri: "https://agency/a.nc", size: 12, etag: '"x"', lastModifiedMs: 7, fields: { valid: 5, kind: "n" } };
        const heard = await ledger.hear({ ...id, ...facts, reason: "webhook", detail: { by: "agency" } });
        const expected = { ...id, ...facts, state: "heard", reason: "webhook", heardMs: nowMs, changedMs: nowMs };
        assert.deepEqual(heard, { isNew: true, revision: { ...expected, heardSeq: 1, changedSeq: 1 } });
        assert.deepEqual(await ledger.revision(id), heard.revision);
        const [entry] = await ledger.history(id.dataset, id.key);
        assert.deepEqual(entry?.detail, { by: "agency" });
        assert.deepEqual(entry?.facts, facts);
      });

      test("leaves a known revision as it is, whatever its state, however it is announced", async () => {
        const id = aRevision();
        await hearReady(id);
        const before = await ledger.revision(id);
        const again = await ledger.hear({ ...id, uri: "https://mirror/a.nc" });
        assert.deepEqual(again, { isNew: false, revision: before });
        assert.equal(await ledger.lastSeq(id.dataset), 2);
      });

      test("takes many at once, answers in their order, and finds twins inside the batch", async () => {
        await hear(aRevision({ key: "b" }));
        const keys = ["c", "b", "a", "c"];
        const heard = await ledger.hearAll(keys.map((key) => aRevision({ key })));
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
        await ledger.hearAll(ids);
        await ledger.recordAll(ids.map((id) => ({ ...id, state: "ready" as const })));
        await ledger.recordPublication(aPublication(), ids);
        assert.equal((await ledger.counts("ostia")).published, 2_500);
        assert.equal(await ledger.lastSeq("ostia"), 7_500);
        assert.equal((await ledger.membersOf("ostia", "timeseries", 1)).length, 2_500);
      });

      test("refuses a batch of two datasets", async () => {
        await assert.rejects(ledger.hearAll([aRevision(), aRevision({ dataset: "mur" })]), RangeError);
      });
    });

    describe("recording", () => {
      test("moves the revision, and adds to its facts", async () => {
        const id = aRevision();
        await hear(id);
        nowMs += 10;
        const scan = { uri: "file:///scans/1", sha256: "ab" };
        const recorded = await ledger.record({ ...id, state: "ready", fields: { valid: 6 }, scan });
        assert.deepEqual(recorded, { seq: 2, appended: true });
        const revision = await ledger.revision(id);
        const { state, uri, fields, heardMs, changedMs, heardSeq, changedSeq } = revision as Revision;
        assert.deepEqual(
          { state, uri, fields, scan: revision?.scan },
          { state: "ready", uri: `https://agency/${id.key}`, fields: { valid: 6 }, scan },
        );
        assert.deepEqual(
          { heardMs, changedMs, heardSeq, changedSeq },
          { heardMs: nowMs - 10, changedMs: nowMs, heardSeq: 1, changedSeq: 2 },
        );
      });

      test("the same step again changes nothing", async () => {
        const id = aRevision();
        await hear(id);
        const event: RevisionEvent = { ...id, state: "quarantined", reason: "units", detail: { b: 1, a: [2] } };
        const first = await ledger.record(event);
        const before = await ledger.revision(id);
        nowMs += 1;
        assert.deepEqual(await ledger.record({ ...event, detail: { a: [2], b: 1 } }), { seq: first.seq, appended: false });
        assert.deepEqual(await ledger.revision(id), before);
        assert.equal((await ledger.history(id.dataset, id.key)).length, 2);
      });

      test("the late twin of a step does not take the revision back", async () => {
        const id = aRevision();
        await hearReady(id);
        await ledger.record({ ...id, state: "quarantined", reason: "drift" });
        assert.deepEqual(await ledger.record({ ...id, state: "ready" }), { seq: 2, appended: false });
        assert.equal(await stateOf(id), "quarantined");
      });

      test("the same step after the revision was opened again is a new one", async () => {
        const id = aRevision();
        await hear(id);
        for (const [state, reason] of [
          ["quarantined", "units"],
          ["heard", "retry"],
          ["quarantined", "units"],
          ["heard", "retry"],
        ] as const) {
          assert.equal((await ledger.record({ ...id, state, reason })).appended, true);
          assert.equal((await ledger.record({ ...id, state, reason })).appended, false);
          assert.equal(await stateOf(id), state);
        }
      });

      test("`once` tells a step from its twin where the state would not", async () => {
        const id = aRevision();
        await hear(id);
        const retry = (once: string) => ledger.record({ ...id, state: "heard", reason: "retry", once });
        await ledger.record({ ...id, state: "quarantined", reason: "units" });
        await retry("decision 1");
        await ledger.record({ ...id, state: "quarantined", reason: "units" });
        assert.deepEqual(await retry("decision 1"), { seq: 3, appended: false });
        assert.equal(await stateOf(id), "quarantined");
        assert.equal((await retry("decision 2")).appended, true);
        assert.equal(await stateOf(id), "heard");
      });

      test("an accepted quarantine may end in the state that it was in before", async () => {
        const id = aRevision();
        await hearReady(id);
        await ledger.record({ ...id, state: "quarantined", reason: "drift" });
        assert.equal((await ledger.record({ ...id, state: "ready", once: "accepted" })).appended, true);
        assert.equal(await stateOf(id), "ready");
      });

      test("new facts in the same state are a new step", async () => {
        const id = aRevision();
        await hearReady(id);
        assert.deepEqual(await ledger.record({ ...id, state: "ready", uri: "https://mirror/a.nc" }), { seq: 3, appended: true });
        assert.equal((await ledger.revision(id))?.uri, "https://mirror/a.nc");
      });

      test("refuses what nobody has heard of", async () => {
        await assert.rejects(ledger.record({ ...aRevision(), state: "ready" }), (error) => {
          assert.ok(isFreshetError(error, "conflict"));
          assert.match(error.message, /a revision that is unknown cannot become ready: found no such revision/);
          return true;
        });
        assert.equal(await ledger.revision(aRevision()), undefined);
        assert.equal(await ledger.lastSeq("ostia"), 0);
      });

      test("a batch is all or nothing", async () => {
        const ids = ["a", "b"].map((key) => aRevision({ key }));
        await ledger.hearAll(ids);
        const events = [...ids, aRevision({ key: "nobody" })].map((id) => ({ ...id, state: "ready" as const }));
        await assert.rejects(ledger.recordAll(events), isConflict);
        assert.deepEqual(await Promise.all(ids.map(stateOf)), ["heard", "heard"]);
        const recorded = await ledger.recordAll(events.slice(0, 2));
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
            const before = await ledger.revision(id);
            await (isAllowed ? say(id, to) : assert.rejects(say(id, to), isConflict, `${from} → ${to}`));
            assert.equal(await stateOf(id), isAllowed ? to : from, `${from} → ${to}`);
            if (!isAllowed) assert.deepEqual(await ledger.revision(id), before);
          }
        }
      });

      async function bring(id: RevisionId, state: RevisionState): Promise<void> {
        await hearReady(id);
        if (state === "heard") await ledger.record({ ...id, state, reason: "again" });
        else if (state === "published") await ledger.recordPublication(aPublication({ dataset: id.dataset }), [id]);
        else await ledger.record({ ...id, state, reason: "because" });
      }

      async function say(id: RevisionId, state: RevisionState): Promise<void> {
        if (state !== "published") await ledger.record({ ...id, state, reason: "next" });
        else await ledger.recordPublication(aPublication({ dataset: id.dataset, sequence: 2 }), [id]);
      }
    });

    describe("the queue of the dataset workflow", () => {
      test("gives what is ready or withdrawn after the cursor, in the order of their last change", async () => {
        const [a, b, c, d] = ["a", "b", "c", "d"].map((key) => aRevision({ key })) as [
          RevisionId,
          RevisionId,
          RevisionId,
          RevisionId,
        ];
        await ledger.hearAll([a, b, c, d]);
        await ledger.recordAll([c, a, d].map((id) => ({ ...id, state: "ready" as const })));
        await ledger.record({ ...d, state: "withdrawn", reason: "404" });
        await ledger.record({ ...b, state: "quarantined" });
        const read = async (after: number, limit = 10) =>
          (await ledger.readyAfter("ostia", after, limit)).map(({ key, state, changedSeq }) => [key, state, changedSeq]);
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
        await ledger.record({ ...c, state: "ready", uri: "https://mirror/c" });
        assert.deepEqual(await read(8), [["c", "ready", 10]]);
        await ledger.recordPublication(aPublication(), [a, c]);
        assert.deepEqual(await read(0), [["d", "withdrawn", 8]]);
        assert.deepEqual(await ledger.readyAfter("another", 0, 10), []);
      });

      test("knows for each product what it has not published", async () => {
        const [a, b] = [aRevision({ key: "a" }), aRevision({ key: "b" })];
        await hearReady(a);
        await hearReady(b);
        const unpublished = async (product?: string, limit?: number) =>
          (await ledger.unpublished("ostia", product, limit)).map(({ key }) => key);
        assert.deepEqual(await unpublished(), ["a", "b"]);
        assert.deepEqual(await unpublished(undefined, 1), ["a"]);
        await ledger.recordPublication(aPublication(), [a]);
        assert.deepEqual(await unpublished(), ["b"]);
        assert.deepEqual(await unpublished("timeseries"), ["b"]);
        assert.deepEqual(await unpublished("table"), ["b", "a"]);
        await ledger.recordPublication(aPublication({ product: "table" }), [a, b]);
        assert.deepEqual(await unpublished("table"), []);
        assert.deepEqual(await unpublished("timeseries"), ["b"]);
      });
    });

    describe("publications", () => {
      test("publish their members and supersede what was there", async () => {
        const [first, second] = [aRevision(), aRevision({ identity: "etag:2" })];
        await hearReady(first);
        await ledger.recordPublication(aPublication(), [first]);
        await hearReady(second);
        await ledger.recordPublication(aPublication({ sequence: 2, granules: 7 }), [second]);
        const [old, current] = await ledger.revisionsOf("ostia", first.key);
        assert.deepEqual(
          [old?.state, old?.reason, old?.published],
          ["superseded", "replaced in timeseries 2", { product: "timeseries", sequence: 1 }],
        );
        assert.deepEqual([current?.state, current?.published], ["published", { product: "timeseries", sequence: 2 }]);
        assert.deepEqual(await ledger.publications("ostia", "timeseries", 10), [
          aPublication({ sequence: 2, granules: 7 }),
          aPublication(),
        ]);
        assert.deepEqual(await ledger.publications("ostia", undefined, 1), [aPublication({ sequence: 2, granules: 7 })]);
        assert.deepEqual(await ledger.membersOf("ostia", "timeseries", 1), [{ key: first.key, identity: "etag:1" }]);
        const history = await ledger.history("ostia", first.key);
        assert.deepEqual(history.map(({ state, identity }) => `${identity} ${state}`).slice(-2), [
          "etag:2 published",
          "etag:1 superseded",
        ]);
        assert.deepEqual(history.at(-2)?.publication, { product: "timeseries", sequence: 2 });
      });

      test("recorded twice change nothing", async () => {
        const id = aRevision();
        await hearReady(id);
        await ledger.recordPublication(aPublication(), [id]);
        const before = [await ledger.revision(id), await ledger.lastSeq("ostia")];
        nowMs += 5;
        await ledger.recordPublication(aPublication({ atMs: 2_000 }), [id]);
        assert.deepEqual([await ledger.revision(id), await ledger.lastSeq("ostia")], before);
        assert.deepEqual(await ledger.publications("ostia", "timeseries", 10), [aPublication()]);
      });

      test("of one number but two snapshots are a conflict", async () => {
        const id = aRevision();
        await hearReady(id);
        await ledger.recordPublication(aPublication(), [id]);
        const other = aPublication({ snapshot: "OTHER" });
        await assert.rejects(ledger.recordPublication(other, [id]), /found snapshot SNAPSHOT1, .*expected snapshot OTHER/);
      });

      test("that come late do not take the product back", async () => {
        const [a1, a2, b] = [aRevision(), aRevision({ identity: "etag:2" }), aRevision({ key: "b" })];
        for (const id of [a1, a2, b]) await hearReady(id);
        await ledger.recordPublication(aPublication({ sequence: 6 }), [a2]);
        await ledger.recordPublication(aPublication({ sequence: 5 }), [a1, b]);
        assert.deepEqual(await Promise.all([a1, a2, b].map(stateOf)), ["superseded", "published", "published"]);
        assert.deepEqual(await ledger.unpublished("ostia", "timeseries"), []);
      });

      test("that come late do not bring back what was withdrawn since", async () => {
        const [a, b] = [aRevision({ key: "a" }), aRevision({ key: "b" })];
        await hearReady(a);
        await hearReady(b);
        await ledger.record({ ...a, state: "withdrawn" });
        await ledger.recordPublication(aPublication({ sequence: 6 }), [b]);
        await ledger.recordPublication(aPublication({ sequence: 5 }), [a]);
        assert.equal(await stateOf(a), "withdrawn");
      });

      test("of an earlier layout publish earlier revisions again", async () => {
        const [first, second] = [aRevision(), aRevision({ identity: "etag:2" })];
        for (const [index, id] of [first, second].entries()) {
          await hearReady(id);
          await ledger.recordPublication(aPublication({ sequence: index + 1 }), [id]);
        }
        await ledger.recordPublication(aPublication({ sequence: 3 }), [first]);
        assert.deepEqual(await Promise.all([first, second].map(stateOf)), ["published", "superseded"]);
      });

      test("of one product leave what another one still shows", async () => {
        const [first, second] = [aRevision(), aRevision({ identity: "etag:2" })];
        await hearReady(first);
        await ledger.recordPublication(aPublication({ product: "table" }), [first]);
        await hearReady(second);
        await ledger.recordPublication(aPublication(), [second]);
        assert.deepEqual(await Promise.all([first, second].map(stateOf)), ["published", "published"]);
      });

      test("refuse members that cannot be there, and then leave nothing behind", async () => {
        const [known, unknown] = [aRevision(), aRevision({ key: "unknown" })];
        await hearReady(known);
        await assert.rejects(ledger.recordPublication(aPublication(), [known, unknown]), (error) =>
          isFreshetError(error, "corrupt"),
        );
        await hear(unknown);
        await assert.rejects(ledger.recordPublication(aPublication(), [known, unknown]), isConflict);
        await assert.rejects(ledger.recordPublication(aPublication(), [known, { ...known, identity: "etag:2" }]), RangeError);
        assert.equal(await stateOf(known), "ready");
        assert.deepEqual(await ledger.publications("ostia", "timeseries", 10), []);
      });
    });

    describe("questions", () => {
      test("granules come by key, page by page, never divided", async () => {
        const ids = ["b", "a", "c"].flatMap((key) => ["etag:2", "etag:1"].map((identity) => aRevision({ key, identity })));
        await ledger.hearAll([...ids, aRevision({ dataset: "mur", key: "a" })].filter(({ dataset }) => dataset === "ostia"));
        await ledger.record({ ...(ids[3] as RevisionId), state: "skipped" });
        const read = async (query: Parameters<Ledger["granules"]>[1]) =>
          (await ledger.granules("ostia", query)).map(({ key, identity }) => `${key} ${identity}`);
        assert.deepEqual(await read({ limit: 2 }), ["a etag:2", "a etag:1", "b etag:2", "b etag:1"]);
        assert.deepEqual(await read({ limit: 2, afterKey: "b" }), ["c etag:2", "c etag:1"]);
        assert.deepEqual(await read({ limit: 9, afterKey: "c" }), []);
        assert.deepEqual(await read({ limit: 9, state: "skipped" }), ["a etag:1"]);
        assert.deepEqual(await read({ limit: 1, state: "heard", afterKey: "a" }), ["b etag:2", "b etag:1"]);
      });

      test("counts name every state", async () => {
        await hearReady(aRevision({ key: "a" }));
        await hear(aRevision({ key: "b" }));
        const none = Object.fromEntries(REVISION_STATES.map((state) => [state, 0]));
        assert.deepEqual(await ledger.counts("ostia"), { ...none, heard: 1, ready: 1 });
        assert.deepEqual(await ledger.counts("nobody"), none);
      });

      test("a past moment is seen as it was", async () => {
        const [a, b] = [aRevision({ key: "a" }), aRevision({ key: "b" })];
        await hear(a);
        const heardMs = nowMs;
        nowMs += 100;
        await ledger.record({ ...a, state: "ready", uri: "https://mirror/a" });
        await hear(b);
        const [past] = await ledger.revisionsAsOf("ostia", "a", heardMs + 99);
        assert.deepEqual([past?.state, past?.uri, past?.changedSeq], ["heard", "https://agency/a", 1]);
        const [now] = await ledger.revisionsAsOf("ostia", "a", heardMs + 100);
        assert.deepEqual(now, await ledger.revision(a));
        assert.deepEqual(await ledger.revisionsAsOf("ostia", "a", heardMs - 1), []);
        const keys = async (asOfMs: number, state?: RevisionState) =>
          (await ledger.granules("ostia", { limit: 10, asOfMs, state })).map(({ key, state: then }) => `${key} ${then}`);
        assert.deepEqual(await keys(heardMs), ["a heard"]);
        assert.deepEqual(await keys(nowMs), ["a ready", "b heard"]);
        assert.deepEqual(await keys(nowMs, "heard"), ["b heard"]);
      });

      test("ledger time does not run backwards when a clock does", async () => {
        const id = aRevision();
        await hear(id);
        nowMs -= 60_000;
        await ledger.record({ ...id, state: "ready" });
        const times = (await ledger.history("ostia", id.key)).map(({ atMs }) => atMs);
        assert.deepEqual(times, [1_000_000, 1_000_000]);
      });

      test("keys and identities may hold anything that text may", async () => {
        const id = aRevision({ key: "ø'\"%_\\ {x}", identity: 'etag:W/"a\'b"' });
        await hearReady(id);
        assert.equal((await ledger.revision(id))?.identity, id.identity);
        assert.equal((await ledger.granules("ostia", { limit: 1 }))[0]?.key, id.key);
      });
    });

    describe("dataset files", () => {
      const file = (hash: string) => ({ name: "ostia", hash, text: `{"hash":"${hash}"}` });

      test("are kept by hash; the one put last is current", async () => {
        assert.equal(await ledger.putDataset(file("h1")), true);
        assert.equal(await ledger.putDataset(file("h1")), false);
        nowMs += 1;
        assert.equal(await ledger.putDataset(file("h2")), true);
        assert.deepEqual(await ledger.currentDataset("ostia"), { ...file("h2"), appliedMs: nowMs });
        assert.equal(await ledger.datasetText("ostia", "h1"), file("h1").text);
        assert.equal(await ledger.datasetText("ostia", "h3"), undefined);
        nowMs += 1;
        assert.equal(await ledger.putDataset(file("h1")), true);
        assert.deepEqual(await ledger.currentDataset("ostia"), { ...file("h1"), appliedMs: nowMs });
        assert.equal(await ledger.currentDataset("mur"), undefined);
      });

      test("are listed by name, the current ones only", async () => {
        await ledger.putDataset({ name: "mur", hash: "m", text: "{}" });
        await ledger.putDataset(file("h1"));
        await ledger.putDataset(file("h2"));
        assert.deepEqual(
          (await ledger.datasets()).map(({ name, hash }) => `${name}@${hash}`),
          ["mur@m", "ostia@h2"],
        );
      });
    });

    test("the first candidate of several at once becomes the template, for all of them", async () => {
      const candidates = ["a", "b", "c"].map((key) => ({
        key,
        identity: "etag:1",
        scan: { uri: `file:///${key}`, sha256: key },
      }));
      const answers = await Promise.all(
        candidates.map((candidate) => ledger.establishTemplate("ostia", "timeseries", candidate)),
      );
      assert.equal(new Set(answers.map(({ key }) => key)).size, 1);
      assert.deepEqual(
        answers[0],
        candidates.find(({ key }) => key === answers[0]?.key),
      );
    });

    test("fifty writers at once in one process: every step once, numbers without gaps", async () => {
      const ids = Array.from({ length: 50 }, (_, index) => aRevision({ key: `k${index % 25}` }));
      await Promise.all(ids.map(hear));
      await Promise.all(ids.map((id) => ledger.record({ ...id, state: "ready" })));
      assert.equal(await ledger.lastSeq("ostia"), 50);
      const seqs = (await ledger.readyAfter("ostia", 0, 100)).map(({ changedSeq }) => changedSeq);
      assert.deepEqual(
        seqs,
        Array.from({ length: 25 }, (_, index) => 26 + index),
      );
    });
  });
}
