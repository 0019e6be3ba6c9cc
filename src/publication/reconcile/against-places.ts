import { comparableUri, isOutage, listedPlaces, lookAtSources } from "../../acquisition/index.ts";
import { type Findings, isInSpan, type ReconcileContext } from "./context.ts";

/** Granules to a part. */
const PAGE = 500;

/**
 * Where the ledger has granules from, against what is there now: a page of them from `afterKey` (exclusive) on. Places that the source's
 * listing names have been looked at by it.
 * @returns the last key of the page; undefined at the end.
 */
export async function againstPlaces(
  afterKey: string | undefined,
  context: ReconcileContext,
  findings: Findings,
): Promise<string | undefined> {
  const { dataset, ledger, signal, onProgress, now } = context;
  const { source, policies } = dataset;
  const listed = listedPlaces(source, now()).map(comparableUri);
  const page = await ledger.standing(dataset.name, { limit: PAGE, afterKey });
  const looked = page.filter(
    ({ uri, size, fields }) =>
      uri !== undefined &&
      size !== undefined &&
      isInSpan(context, fields) &&
      !listed.some((place) => comparableUri(uri).startsWith(place)),
  );
  const answers = await lookAtSources(looked, source, { signal, onProgress });
  const outage = isOutage([...answers.values()]);
  let gone = 0;
  for (const [{ key, uri = "", fields }, finding] of answers) {
    findings.compared++;
    if (finding.kind === "silent") findings.silent++;
    if (finding.kind === "changed") {
      const told = { kind: "replaced", where: key, uri } as const;
      await findings.announced({ ...told, found: finding.found, expected: "the bytes that the ledger has heard of" }, fields);
    }
    if (finding.kind !== "gone") continue;
    gone++;
    // A copy of ours, or the dataset file, says that it stays.
    if (policies.withdrawn === "keep" || source.mirror !== undefined) continue;
    const deviation = {
      kind: "withdrawn",
      where: key,
      uri,
      found: finding.found,
      expected: "what the ledger has from there",
    } as const;
    if (outage) findings.report(deviation);
    else await findings.announced(deviation, fields);
  }
  if (outage)
    findings.notes.push(
      `${gone} of ${answers.size} sources are gone: more likely a server's trouble than its word, none is withdrawn`,
    );
  return page.at(-1)?.key;
}
