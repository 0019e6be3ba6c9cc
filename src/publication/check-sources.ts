import { openSource } from "../acquisition/index.ts";
import { isFreshetError } from "../errors/index.ts";
import { granulesIn, type LayoutRow } from "../products/index.ts";
import type { Scan } from "../scan/index.ts";
import type { SourceIdentity } from "../storage/index.ts";
import type { CheckContext, Checked, Disagreement } from "./check.ts";

/** Sources that are asked at once. */
const AT_ONCE = 8;

/** Whether the bytes still are what references expect: those of the granules with the newest valid times. */
export async function checkSources(context: CheckContext): Promise<Checked> {
  const { stored, sources, tick, signal } = context;
  const rows = stored.epochs.flatMap(({ layout }) => [...layout.rows()].map(([, row]) => row));
  const asked = rows.sort((a, b) => b.validMs - a.validMs).slice(0, sources);
  const disagreements: Disagreement[] = [];
  let silent = 0;
  let reason = "";
  let looked = 0;
  const left = asked.values();
  await Promise.all(
    Array.from({ length: Math.min(AT_ONCE, asked.length) }, async () => {
      for (const row of left) {
        signal?.throwIfAborted();
        const answer = await lookAtSource(context, row);
        if (answer.kind === "differs") disagreements.push(answer.disagreement);
        if (answer.kind === "silent") {
          silent++;
          reason = answer.reason;
        } else looked++;
        tick(`sources: ${looked} of ${asked.length}`);
      }
    }),
  );
  const note = silent === 0 ? "" : `${silent} did not answer: ${reason}`;
  return { compared: { subject: "source", count: looked, of: granulesIn(stored.epochs), note }, disagreements };
}

type Look =
  | { readonly kind: "same" }
  | { readonly kind: "differs"; readonly disagreement: Disagreement }
  | { readonly kind: "silent"; readonly reason: string };

async function lookAtSource({ dataset, scans, signal }: CheckContext, row: LayoutRow): Promise<Look> {
  let scan: Scan;
  try {
    scan = await scans.get(row.scan);
  } catch (error) {
    if (!isFreshetError(error, "corrupt")) throw error;
    return { kind: "differs", disagreement: lostScan(row, error.message) };
  }
  const expected = identityText(scan.identity);
  try {
    const reader = await openSource(dataset.source, scan.uri, signal);
    await reader.close();
    const found = identityText(reader.identity);
    return found === expected ? { kind: "same" } : { kind: "differs", disagreement: lostSource(row, scan, found) };
  } catch (error) {
    if (isFreshetError(error, "source-missing")) return { kind: "differs", disagreement: lostSource(row, scan, "nothing there") };
    if (!isFreshetError(error)) throw error;
    return { kind: "silent", reason: error.message };
  }
}

/** The references of a granule point at bytes that are not there any more: readers get an error for its cells. */
export function lostSource({ key }: LayoutRow, { uri, identity }: Scan, found: string): Disagreement {
  const remedy = `Readers cannot read this granule. Announce what is there now: freshet ingest ${uri}`;
  return { subject: "source", where: `${key} at ${uri}`, found, expected: identityText(identity), remedy };
}

/** A granule that readers can read, and that nothing can be made from again. */
export function lostScan({ key, scan }: LayoutRow, found: string): Disagreement {
  const remedy = "Readers are not concerned; bring the scans back from a backup, or a rebuild will fail";
  return { subject: "source", where: key, found, expected: `the scan ${scan.uri}`, remedy };
}

function identityText({ etag, lastModifiedMs, size }: SourceIdentity): string {
  const modified = lastModifiedMs === undefined ? "" : `, ${new Date(lastModifiedMs).toISOString()}`;
  return `${size} bytes${modified}${etag === undefined ? "" : `, etag ${etag}`}`;
}
