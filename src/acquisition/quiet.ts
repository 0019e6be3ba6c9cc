import { compileNames, type Dataset, fieldsAt } from "../dataset/index.ts";
import type { Alarm, Ledger, Revision } from "../ledger/index.ts";

/** Revisions that are looked at for when something came last: first a few, then as many as come in a long time. */
const FEW = 200;
const MANY = 20_000;
const MONTH_MS = 31 * 86_400_000;

/**
 * Whether a dataset has waited too long, as its file says: nothing new for `quiet`; a source whose traffic matches nothing meanwhile; one of its
 * patterns unseen for `unseen` steps of its calendar. The alarms are opened and ended in the ledger; answered are those that are open now.
 * A dataset that was applied only then has not waited yet.
 * @param nowMs milliseconds since 1970.
 * @param others alarms that somebody else has found, and that are open beside these.
 */
export async function watchQuiet(
  dataset: Dataset,
  ledger: Ledger,
  nowMs: number,
  others: readonly Alarm[] = [],
): Promise<readonly Alarm[]> {
  const open = await ledger.alarms({ dataset: dataset.name, isOpen: true, limit: 1_000 });
  const alarms = [...others, ...(dataset.quiet === undefined ? [] : await alarmsOf(dataset, ledger, nowMs))];
  const idsOf = (all: readonly Alarm[]): string => JSON.stringify(all.map(({ kind, subject }) => [kind, subject]).sort());
  if (idsOf(open) !== idsOf(alarms)) await ledger.settleAlarms(dataset.name, alarms);
  return alarms;
}

async function alarmsOf(dataset: Dataset, ledger: Ledger, nowMs: number): Promise<Alarm[]> {
  const appliedMs = (await ledger.currentDataset(dataset.name))?.appliedMs ?? nowMs;
  const alarms: Alarm[] = [];
  const { afterMs, unseen } = dataset.quiet ?? {};
  const everyMs = expectedEveryMs(dataset);
  const windowMs = unseen === undefined || everyMs === undefined ? undefined : unseen * everyMs;
  let arrivals = await ledger.newest(dataset.name, FEW);
  const isEnough = (): boolean =>
    (afterMs === undefined || nowMs - newestOf(arrivals) < afterMs) &&
    (windowMs === undefined || unseenPatterns(dataset, arrivals, nowMs - windowMs).length === 0);
  if (arrivals.length === FEW && !isEnough()) arrivals = await ledger.newest(dataset.name, MANY);
  if (afterMs !== undefined) alarms.push(...(await silence(dataset, ledger, { arrivals, appliedMs, afterMs, nowMs })));
  if (windowMs !== undefined && nowMs - appliedMs >= windowMs) {
    for (const pattern of unseenPatterns(dataset, arrivals, nowMs - windowMs)) {
      const text = `no granule named ${pattern} for ${unseen} of its expected times`;
      alarms.push({ kind: "unseen", subject: pattern, text, sinceMs: nowMs - windowMs });
    }
  }
  return alarms;
}

async function silence(
  { source }: Dataset,
  ledger: Ledger,
  {
    arrivals,
    appliedMs,
    afterMs,
    nowMs,
  }: { readonly arrivals: readonly Revision[]; readonly appliedMs: number; readonly afterMs: number; readonly nowMs: number },
): Promise<Alarm[]> {
  const sinceMs = Math.max(newestOf(arrivals), appliedMs);
  if (nowMs - sinceMs < afterMs) return [];
  const since = new Date(sinceMs).toISOString();
  const text = `nothing new from the source ${source.name} since ${since}`;
  const alarms: Alarm[] = [{ kind: "quiet", subject: source.name, text, sinceMs }];
  for (const { source: names, via, unmatched, unmatchedMs = 0, matchedMs = 0 } of await ledger.traffic()) {
    const isItsOwn = names.split(",").includes(source.name);
    if (!isItsOwn || nowMs - unmatchedMs >= afterMs || nowMs - matchedMs < afterMs) continue;
    const told = `the source ${source.name} (${via}) brings only what matches nothing: ${unmatched} names so far; see freshet unmatched ${source.name}`;
    alarms.push({
      kind: "unmatched",
      subject: `${source.name} ${via}`,
      text: told,
      sinceMs: matchedMs === 0 ? sinceMs : matchedMs,
    });
  }
  return alarms;
}

function newestOf(arrivals: readonly Revision[]): number {
  return arrivals.reduce((newest, { heardMs }) => Math.max(newest, heardMs), 0);
}

/** Patterns of the dataset that no arrival since then has. */
function unseenPatterns({ match, source }: Dataset, arrivals: readonly Revision[], sinceMs: number): string[] {
  const recent = arrivals.filter(({ heardMs }) => heardMs >= sinceMs);
  return match.filter((pattern) => {
    const names = compileNames([pattern]);
    return !recent.some(({ uri }) => uri !== undefined && fieldsAt(source, names, uri) !== undefined);
  });
}

/** How often the calendars of a dataset, or the cycle of its runs, expect a granule. */
function expectedEveryMs({ products, runs }: Dataset): number | undefined {
  const calendars = products.flatMap((product) => (product.kind === "timeseries" ? [product.calendar] : []));
  if (runs !== undefined) calendars.push(runs.cycle);
  const steps = calendars.map((calendar) => (calendar.kind === "fixed" ? calendar.everyMs : calendar.months * MONTH_MS));
  return steps.length === 0 ? undefined : Math.min(...steps);
}
