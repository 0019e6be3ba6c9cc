import { type Findings, isInSpan, type ReconcileContext } from "./context.ts";

/** Granules to a page of the ledger. */
const PAGE = 1_000;

/** What the ledger has heard of and nobody has published, longer than the dataset waits for a granule. */
export async function againstLedger(context: ReconcileContext, findings: Findings): Promise<void> {
  const { ledger, dataset, signal, now } = context;
  for (const state of ["heard", "ready"] as const) {
    let afterKey: string | undefined;
    do {
      signal.throwIfAborted();
      const page = await ledger.granules(dataset.name, { state, limit: PAGE, afterKey });
      for (const { key: where, uri, fields, changedMs } of page) {
        if (!isInSpan(context, fields)) continue;
        findings.compared++;
        if (now() - changedMs < dataset.await.deadlineMs) continue;
        const found = `${state} since ${new Date(changedMs).toISOString()}`;
        if (state === "ready") findings.published({ kind: "late", where, uri, found, expected: "in a version" });
        else if (uri !== undefined)
          await findings.announced({ kind: "late", where, uri, found, expected: "scanned, or a reason why not" });
      }
      afterKey = page.at(-1)?.key;
    } while (afterKey !== undefined);
  }
}
