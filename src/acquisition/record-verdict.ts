import type { Announcement, GranuleReference, Verdict } from "../contract/index.ts";
import { isFreshetError } from "../errors/index.ts";
import { fieldsOfFile, type Ledger, type RevisionId } from "../ledger/index.ts";
import { reached } from "../steps/index.ts";

/** States of a revision that nobody has published, and that waits for something. */
const WAITING: readonly string[] = ["heard", "ready", "quarantined"];

/**
 * Writes into the ledger how a revision ended. One that is ready supersedes all others of its granule that wait: those that
 * nobody could use, and one that nobody has published yet. May run twice.
 */
export async function recordVerdict(
  ledger: Ledger,
  granule: GranuleReference,
  announcement: Announcement,
  identity: string,
  verdict: Verdict,
): Promise<void> {
  const id = { dataset: granule.dataset.name, key: granule.key, identity };
  if ((await ledger.revision(id)) === undefined)
    await ledger.hear({ ...id, uri: announcement.uri, fields: granule.fields, reason: announcement.by });
  const recorded = await ledger.record({ ...id, ...eventOf(granule.fields, verdict) }).catch((error: unknown) => {
    // A twin of this attempt was here, and the dataset has gone on meanwhile.
    if (!isFreshetError(error, "conflict")) throw error;
    return undefined;
  });
  reached("record: half told");
  // Those that waited then: a late attempt must not turn against its successor.
  if (verdict.state === "ready" && recorded !== undefined) await supersedeWaiting(ledger, id, recorded.seq);
}

function eventOf(fields: GranuleReference["fields"], verdict: Verdict) {
  switch (verdict.state) {
    case "ready": {
      const { scanUri, scanSha256, validMs, steps, lastMs, runMs, variables, references, epoch, drift } = verdict.scanned;
      const scan = { uri: scanUri, sha256: scanSha256 };
      const detail = { variables, references, ...(drift === undefined ? {} : { drift }) };
      return { state: verdict.state, scan, fields: fieldsOfFile(fields, { validMs, steps, lastMs, runMs }), epoch, detail };
    }
    case "quarantined":
    case "skipped":
      return { state: verdict.state, reason: verdict.reason };
  }
}

async function supersedeWaiting(ledger: Ledger, { dataset, key, identity }: RevisionId, seq: number): Promise<void> {
  for (const other of await ledger.revisionsOf(dataset, key)) {
    if (other.identity === identity || other.changedSeq > seq || !WAITING.includes(other.state)) continue;
    const id = { dataset, key, identity: other.identity };
    await ledger
      .record({ ...id, state: "superseded", reason: "another revision of the granule is ready" })
      .catch((error: unknown) => {
        // It has been published meanwhile; its successor will take its place there.
        if (!isFreshetError(error, "conflict")) throw error;
      });
  }
}
