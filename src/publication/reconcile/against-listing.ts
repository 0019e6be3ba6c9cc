import { comparableUri, listSource } from "../../acquisition/index.ts";
import type { Announcement, ListingPlace } from "../../contract/index.ts";
import { fieldsAt } from "../../dataset/index.ts";
import { type Findings, isInSpan, type ReconcileContext } from "./context.ts";

/**
 * What the source's listing names, against the ledger: a part of it from `at` on. It looks as the listing itself does; what that would
 * announce is a deviation.
 * @returns where the next part begins; undefined at the end.
 */
export async function againstListing(
  at: ListingPlace | undefined,
  context: ReconcileContext,
  findings: Findings,
): Promise<ListingPlace | undefined> {
  const { dataset, ledger, names, signal, onProgress, now } = context;
  const routes = async (uri: string) => {
    const fields = fieldsAt(dataset.source, names, uri);
    return fields === undefined || !isInSpan(context, fields) ? [] : [{ dataset, key: names.key(fields) }];
  };
  const announce = (_: string, announcement: Announcement): Promise<void> => differs(announcement, context, findings);
  const listed = await listSource([dataset.source], at, {
    ...{ ledger, datasets: [dataset], routes, announce, signal, onProgress, now },
    isGoneToldAgain: dataset.policies.withdrawn === "drop" && dataset.source.mirror === undefined,
  });
  findings.compared += listed.looked;
  findings.notes.push(...listed.notes);
  return listed.next;
}

async function differs({ uri, removed }: Announcement, context: ReconcileContext, findings: Findings): Promise<void> {
  const { dataset, ledger, names } = context;
  const fields = fieldsAt(dataset.source, names, uri);
  if (fields === undefined || !isInSpan(context, fields)) return;
  const where = names.key(fields);
  if (removed === true) {
    const told = { kind: "withdrawn", where, uri } as const;
    return findings.announced({ ...told, found: "not at the source any more", expected: "what the ledger has from there" });
  }
  const place = comparableUri(uri);
  const revisions = await ledger.revisionsOf(dataset.name, where);
  const isHere = revisions.some((revision) => revision.uri !== undefined && comparableUri(revision.uri) === place);
  const other = revisions.find(({ state }) => state === "ready" || state === "published");
  if (isHere) {
    const told = { kind: "replaced", where, uri } as const;
    return findings.announced({ ...told, found: "other bytes than the ledger has heard of", expected: "the ledger's revision" });
  }
  if (other?.uri !== undefined) {
    const expected = `one place: the ledger has it from ${other.uri}`;
    return findings.announced({ kind: "duplicate", where, uri, found: "a second place of the granule", expected });
  }
  const expected = "a revision that the ledger has heard of";
  return findings.announced({ kind: "missing", where, uri, found: "at the source only", expected });
}
