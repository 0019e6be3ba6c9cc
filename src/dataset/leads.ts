import { parseDuration } from "./duration.ts";

/** Leads of one run at most. */
const MOST_LEADS = 10_000;

export const LEADS_FORM = "leads such as 0h..48h/1h or 6h, or a list of these, each after the one before";
export const LEADS_PATTERN = "^[0-9]{1,9}(ms|s|m|h|d)(\\.\\.[0-9]{1,9}(ms|s|m|h|d)/[0-9]{1,9}(ms|s|m|h|d))?$";

/**
 * Leads as a dataset file writes them: `0h..48h/1h` is from, to (inclusive when a step falls on it), step; `6h` is one. Several
 * texts follow each other, so that steps may change: `0h..90h/1h`, `93h..240h/3h`.
 * @returns milliseconds, ascending; undefined for anything else, and for more than 10 000.
 */
export function parseLeads(texts: readonly string[]): readonly number[] | undefined {
  const leads: number[] = [];
  for (const text of texts) {
    const [from, to, step] = text.split(/\.\.|\//);
    const isRange = to !== undefined && step !== undefined && text === `${from}..${to}/${step}`;
    if (!isRange && text !== from) return undefined;
    const fromMs = parseDuration(from ?? "");
    const toMs = isRange ? parseDuration(to) : fromMs;
    const stepMs = isRange ? parseDuration(step) : 1;
    if (fromMs === undefined || toMs === undefined || !stepMs || toMs < fromMs) return undefined;
    if ((toMs - fromMs) / stepMs + leads.length >= MOST_LEADS || fromMs <= (leads.at(-1) ?? -1)) return undefined;
    for (let ms = fromMs; ms <= toMs; ms += stepMs) leads.push(ms);
  }
  return leads.length === 0 ? undefined : leads;
}

export const NOWCAST_FORM = "run-6h+lead, run+lead or run+6h+lead: when a file of a nowcast is valid";
export const NOWCAST_PATTERN = "^run([+-][0-9]{1,9}(ms|s|m|h|d))?\\+lead$";

/** Milliseconds between the run and what a nowcast's leads are counted from, of `run-6h+lead`; undefined for anything else. */
export function parseNowcastValid(text: string): number | undefined {
  const [whole, sign, duration] = /^run(?:([+-])(\d+(?:ms|s|m|h|d)))?\+lead$/.exec(text) ?? [];
  if (whole === undefined) return undefined;
  if (duration === undefined) return 0;
  const ms = parseDuration(duration);
  return ms === undefined ? undefined : sign === "-" ? -ms : ms;
}
