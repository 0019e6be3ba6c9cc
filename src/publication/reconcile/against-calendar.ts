import { comparableUri, listedPlaces, whyAbsent } from "../../acquisition/index.ts";
import {
  areNamesMadeUp,
  type Dataset,
  datesOf,
  fieldsAt,
  heldUntil,
  stepAtOrAfter,
  type TimeseriesProduct,
  timeAt,
  toReal,
  urisBetween,
  validTimeOf,
  writtenInstant,
} from "../../dataset/index.ts";
import { isFreshetError } from "../../errors/index.ts";
import { gapsOf } from "../../products/index.ts";
import { lookAtProduct } from "../product-store.ts";
import { type Findings, isInSpan, type ReconcileContext } from "./context.ts";

/** Steps of the calendar to a part, and how many places are asked at once. */
const STEPS = 1_000;
const AT_ONCE = 8;
/** Instants after a product's last one that are told as overdue, at most: beyond it nobody goes on with the series. */
const MOST_AFTER = 10_000;
/** Granules to a page of the ledger. */
const PAGE = 1_000;

/**
 * What the calendar expects, against the ledger and the source, from `fromMs` on. Where names say nothing but the valid time, each is made
 * up and looked for; elsewhere the gaps of the products are told.
 * @returns the instant at which the next part begins; undefined at the end.
 */
export async function againstCalendar(
  fromMs: number | undefined,
  context: ReconcileContext,
  findings: Findings,
): Promise<number | undefined> {
  const { dataset, span, now } = context;
  const series = dataset.products.filter((product) => product.kind === "timeseries");
  const lastMs = Math.min(span.toMs ?? now(), now());
  const [first] = series;
  if (first === undefined) return undefined;
  if (!areNamesMadeUp(dataset)) {
    for (const product of series) await againstGaps(product, lastMs, context, findings);
    return undefined;
  }
  const beginMs = fromMs ?? span.fromMs ?? (await earliest(context));
  if (beginMs === undefined || beginMs > lastMs) return undefined;
  const nextMs = timeAt(first.calendar, STEPS, stepAtOrAfter(first.calendar, beginMs));
  await againstNames(dataset, beginMs, Math.min(nextMs - 1, lastMs), context, findings);
  return nextMs > lastMs ? undefined : nextMs;
}

async function againstNames(
  dataset: Dataset,
  fromMs: number,
  toMs: number,
  context: ReconcileContext,
  findings: Findings,
): Promise<void> {
  const { signal, onProgress } = context;
  const uris = [...urisBetween(dataset, fromMs, toMs)];
  for (let at = 0; at < uris.length; at += AT_ONCE) {
    signal.throwIfAborted();
    await Promise.all(uris.slice(at, at + AT_ONCE).map((uri) => lookFor(uri, context, findings)));
    onProgress(`calendar: ${Math.min(at + AT_ONCE, uris.length)} of ${uris.length} names`);
  }
}

async function lookFor(uri: string, context: ReconcileContext, findings: Findings): Promise<void> {
  const { dataset, ledger, names, signal, now } = context;
  const { source } = dataset;
  const fields = fieldsAt(source, names, uri);
  if (fields === undefined) return;
  findings.compared++;
  const where = names.key(fields);
  const revisions = await ledger.revisionsOf(dataset.name, where);
  if (revisions.some(({ state }) => state !== "withdrawn")) return;
  if ((heldUntil(dataset, fields, now()) ?? 0) > now()) return;
  try {
    const absent = await whyAbsent(source, uri, signal);
    const isListed = listedPlaces(source, now()).some((place) => comparableUri(uri).startsWith(comparableUri(place)));
    if (absent === undefined) {
      // The listing has told of it.
      if (isListed) return;
      const expected = "a revision that the ledger has heard of";
      await findings.announced({ kind: "missing", where, uri, found: "at the source only", expected });
    } else if (revisions.length === 0 && isDue(dataset, validTimeOf(fields, dataset.runs), now()))
      findings.report({ kind: "overdue", where, uri, found: absent, expected: "a granule, says the calendar" });
  } catch (error) {
    if (!isFreshetError(error)) throw error;
    findings.silent++;
  }
}

/** A granule that is valid at that time should have come by now. */
function isDue({ holdMs = 0, await: { deadlineMs } }: Dataset, validMs: number | undefined, nowMs: number): boolean {
  return validMs === undefined || validMs + holdMs + deadlineMs < nowMs;
}

/** The gaps of a product, and what follows its last granule, for which the ledger has nothing on its way. */
async function againstGaps(
  product: TimeseriesProduct,
  lastMs: number,
  context: ReconcileContext,
  findings: Findings,
): Promise<void> {
  const { dataset, now } = context;
  const epochs = (await lookAtProduct(dataset, product))?.stored?.epochs ?? [];
  const instants = gapsOf(product, epochs);
  let newestMs: number | undefined;
  for (const { layout } of epochs) for (const [, { validMs }] of layout.rows()) newestMs = Math.max(validMs, newestMs ?? validMs);
  const { calendar } = product;
  for (let step = 1; newestMs !== undefined && step <= MOST_AFTER; step++) {
    const ms = timeAt(calendar, step, newestMs);
    if (ms > Math.min(lastMs, calendar.toMs ?? lastMs)) break;
    instants.push(ms);
  }
  const onTheirWay = await validTimesOnTheirWay(context);
  for (const instant of instants) {
    findings.compared++;
    // Names say dates as they are in the real calendar.
    const ms = toReal(datesOf(product), instant) ?? instant;
    if (onTheirWay.has(ms) || onTheirWay.has(instant) || !isInSpan(context, { valid: ms }) || !isDue(dataset, ms, now()))
      continue;
    const where = writtenInstant(datesOf(product), instant);
    findings.report({ kind: "overdue", where, found: `a gap in ${product.name}`, expected: "a granule, says the calendar" });
  }
}

async function validTimesOnTheirWay({ ledger, dataset }: ReconcileContext): Promise<Set<number>> {
  const times = new Set<number>();
  for (const state of ["heard", "ready", "quarantined"] as const) {
    let afterKey: string | undefined;
    do {
      const page = await ledger.granules(dataset.name, { state, limit: PAGE, afterKey });
      for (const { fields = {} } of page) {
        const validMs = validTimeOf(fields, dataset.runs);
        if (validMs !== undefined) times.add(validMs);
      }
      afterKey = page.at(-1)?.key;
    } while (afterKey !== undefined);
  }
  return times;
}

/** Keys of granules whose names say nothing but the valid time are in its order. */
async function earliest({ ledger, dataset }: ReconcileContext): Promise<number | undefined> {
  const [first] = await ledger.granules(dataset.name, { limit: 1 });
  return first?.fields === undefined ? undefined : validTimeOf(first.fields, dataset.runs);
}
