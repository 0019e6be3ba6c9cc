import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Alarm, Traffic, UnmatchedName } from "../../src/ledger/index.ts";
import type { LedgerBench } from "./ledger-bench.ts";

/** What the ledger keeps of sources: what they brought, what matched nothing, and the alarms when nothing comes. */
export function trafficContract(bench: LedgerBench): void {
  describe("traffic", () => {
    const traffic = (more: Partial<Traffic>): Traffic => ({
      ...{ source: "ofs", via: "sqs", matched: 0, unmatched: 0, passedOver: 0, malformed: 0 },
      ...more,
    });
    const named = (name: string, more: Partial<UnmatchedName> = {}): UnmatchedName => ({
      ...{ source: "ofs", name, via: "sqs", reason: "unknown", count: 1, firstMs: bench.nowMs, lastMs: bench.nowMs },
      ...more,
    });

    test("is added up by source and way", async () => {
      await bench.ledger.noteTraffic([traffic({ matched: 2, matchedMs: 5, malformed: 1 }), traffic({ via: "amqp" })], []);
      await bench.ledger.noteTraffic([traffic({ matched: 1, unmatched: 3, unmatchedMs: 7 })], []);
      const [amqp, sqs] = await bench.ledger.traffic();
      assert.deepEqual(amqp, { ...traffic({ via: "amqp" }), matchedMs: undefined, unmatchedMs: undefined });
      assert.deepEqual(sqs, traffic({ matched: 3, matchedMs: 5, unmatched: 3, unmatchedMs: 7, malformed: 1 }));
    });

    test("of names that nobody knew, the last hundred of each source are kept, for a fortnight", async () => {
      const many = Array.from({ length: 130 }, (_, index) => named(`n${index}`, { lastMs: bench.nowMs + index }));
      await bench.ledger.noteTraffic([], many);
      await bench.ledger.noteTraffic(
        [],
        [named("n129", { count: 4, lastMs: bench.nowMs + 500 }), named("x", { source: "other" })],
      );
      const kept = await bench.ledger.unmatchedNames("ofs");
      assert.equal(kept.length, 100);
      assert.deepEqual([kept[0]?.name, kept[0]?.count, kept.at(-1)?.name], ["n129", 5, "n30"]);
      assert.equal((await bench.ledger.unmatchedNames()).length, 101);
      bench.nowMs += 15 * 86_400_000;
      await bench.ledger.noteTraffic([], [named("new")]);
      assert.deepEqual(
        (await bench.ledger.unmatchedNames("ofs")).map(({ name }) => name),
        ["new"],
      );
    });
  });

  describe("alarms", () => {
    const alarm = (kind: string, subject = "s"): Alarm => ({ kind, subject, text: `${kind} ${subject}`, sinceMs: 1 });

    test("are raised once, and end when they are no longer among the open ones", async () => {
      const open = async () => (await bench.ledger.alarms({ dataset: "ostia", isOpen: true, limit: 10 })).map(({ text }) => text);
      assert.equal(await bench.ledger.settleAlarms("ostia", [alarm("quiet")]), true);
      bench.nowMs += 1;
      assert.equal(await bench.ledger.settleAlarms("ostia", [alarm("quiet")]), false);
      assert.equal(await bench.ledger.settleAlarms("ostia", [alarm("quiet"), alarm("unseen", "p")]), true);
      assert.deepEqual(await open(), ["unseen p", "quiet s"]);
      bench.nowMs += 1;
      assert.equal(await bench.ledger.settleAlarms("ostia", [alarm("unseen", "p")]), true);
      assert.deepEqual(await open(), ["unseen p"]);
      await bench.ledger.settleAlarms("ostia", []);
      bench.nowMs += 1;
      await bench.ledger.settleAlarms("ostia", [alarm("quiet")]);
      const all = await bench.ledger.alarms({ limit: 10 });
      assert.deepEqual(
        all.map(({ kind, endedMs }) => [kind, endedMs === undefined]),
        [
          ["quiet", true],
          ["unseen", false],
          ["quiet", false],
        ],
      );
      assert.deepEqual(await bench.ledger.alarms({ dataset: "mur", limit: 10 }), []);
    });
  });
}
