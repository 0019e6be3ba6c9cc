import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { datasetContract } from "./contract-datasets.ts";
import { publicationContract } from "./contract-publications.ts";
import { questionContract } from "./contract-questions.ts";
import { recordingContract } from "./contract-recording.ts";
import { trafficContract } from "./contract-traffic.ts";
import { aRevision, LedgerBench, type LedgerFactory } from "./ledger-bench.ts";

/** What every ledger has to do, whatever database it is in. */
export function ledgerContract(name: string, open: LedgerFactory): void {
  describe(`the ledger on ${name}`, () => {
    const bench = new LedgerBench(open);
    beforeEach(() => bench.start());
    afterEach(() => bench.ledger.close());

    recordingContract(bench);
    publicationContract(bench);
    questionContract(bench);
    datasetContract(bench);
    trafficContract(bench);

    test("fifty writers at once in one process: every step once, numbers without gaps", async () => {
      const ids = Array.from({ length: 50 }, (_, index) => aRevision({ key: `k${index % 25}` }));
      await Promise.all(ids.map(bench.hear));
      await Promise.all(ids.map((id) => bench.ledger.record({ ...id, state: "ready" })));
      assert.equal(await bench.ledger.lastSeq("ostia"), 50);
      const seqs = (await bench.ledger.readyAfter("ostia", 0, 100)).map(({ changedSeq }) => changedSeq);
      assert.deepEqual(
        seqs,
        Array.from({ length: 25 }, (_, index) => 26 + index),
      );
    });
  });
}
