import { type Runs, validTimeOf } from "../dataset/index.ts";
import type { GivenUpRun, Revision } from "../ledger/index.ts";
import { describeLead } from "./describe-lead.ts";
import { ForecastCells } from "./forecast-cells.ts";

/** How long a run that is late is still waited for, from its deadline on (without one, from its forecast reference time on). */
const PATIENCE_MS = 7 * 86_400_000;

/**
 * What there is of a cell of a run: `published`, or `ready` to be; `heard`: announced, nothing decided yet; `quarantined`: waits for a
 * decision; `skipped`: left out by one; `missing`: the deadline is over; `expected`: it is not.
 */
export const MEMBER_STATES = ["published", "ready", "heard", "quarantined", "skipped", "missing", "expected"] as const;
export type MemberState = (typeof MEMBER_STATES)[number];

/** A cell of a run, and what there is of it. */
export interface RunMember {
  /** Milliseconds; negative in nowcasts. */
  readonly leadMs: number;
  readonly isNowcast: boolean;
  readonly state: MemberState;
  /** It was heard of after the deadline. */
  readonly isLate: boolean;
}

/**
 * Where a run is. `open`: its deadline is not over; `complete`: nothing is waited for any more; `late`: the deadline is over and
 * something is still waited for; `given up`: nobody waits for the rest any more.
 */
export type RunState = "open" | "complete" | "late" | "given up";

/** One run of a model, as far as it is there. */
export interface ForecastRun {
  /** Forecast reference time, milliseconds since 1970. */
  readonly runMs: number;
  readonly state: RunState;
  /** Until when (inclusive) it should be whole, milliseconds since 1970; undefined where the dataset file does not say. */
  readonly dueMs: number | undefined;
  /** From when on it is no longer waited for. */
  readonly givenUpMs: number;
  /** Somebody has given it up before. */
  readonly givenUp: GivenUpRun | undefined;
  /** In the order of the cells: nowcasts before forecasts, each by lead. */
  readonly members: readonly RunMember[];
  /** When something of it was heard last, milliseconds since 1970; undefined while there is nothing. */
  readonly heardMs: number | undefined;
}

/** What the ledger says of a granule of the run. */
export type RunGranule = Pick<Revision, "state" | "fields" | "heardMs">;

/** Of several revisions in one cell, the first of these counts. */
const RANK: Readonly<Record<Revision["state"], number>> = {
  published: 0,
  ready: 1,
  heard: 2,
  quarantined: 3,
  skipped: 4,
  superseded: 5,
  duplicate: 5,
  withdrawn: 5,
};

/**
 * A run once these granules are there. Pure: the same granules at the same moment give the same run.
 * @param givenUp that somebody has given it up.
 */
export function forecastRun(
  runs: Runs,
  runMs: number,
  granules: readonly RunGranule[],
  nowMs: number,
  givenUp?: GivenUpRun,
): ForecastRun {
  const cells = ForecastCells.of(runs);
  const dueMs = runs.deadlineMs === undefined ? undefined : runMs + runs.deadlineMs;
  const isOver = dueMs !== undefined && nowMs > dueMs;
  const found: (RunGranule | undefined)[] = new Array(cells.perRun).fill(undefined);
  for (const granule of granules) {
    for (const index of cellsOf(cells, runs, runMs, granule)) {
      const rival = found[index];
      if (rival === undefined || RANK[granule.state] <= RANK[rival.state]) found[index] = granule;
    }
  }
  const first = cells.placeOfRun(runMs) ?? 0;
  const members = found.map((granule, index): RunMember => {
    const { leadMs, isNowcast } = cells.at(first + index);
    const state = memberState(granule, isOver);
    return { leadMs, isNowcast, state, isLate: granule !== undefined && dueMs !== undefined && granule.heardMs > dueMs };
  });
  const givenUpMs = Math.min(givenUpAt(runs, runMs), givenUp?.atMs ?? Number.POSITIVE_INFINITY);
  const heardMs = granules.reduce<number | undefined>((last, granule) => Math.max(last ?? 0, granule.heardMs), undefined);
  const isWhole = members.every(({ state }) => isSettled(state));
  const state = isWhole ? "complete" : givenUp !== undefined || nowMs > givenUpMs ? "given up" : isOver ? "late" : "open";
  return { runMs, state, dueMs, givenUpMs, givenUp, members, heardMs };
}

/** Whether nothing is waited for any more in a cell of this state. */
export function isSettled(state: MemberState): boolean {
  return ["published", "ready", "skipped"].includes(state);
}

/** From when on (exclusive) a run is no longer waited for, milliseconds since 1970. */
export function givenUpAt({ deadlineMs = 0 }: Runs, runMs: number): number {
  return runMs + deadlineMs + PATIENCE_MS;
}

/** How many cells are in each state. */
export function countMembers(members: readonly RunMember[]): Record<MemberState, number> {
  const counts = Object.fromEntries(MEMBER_STATES.map((state) => [state, 0])) as Record<MemberState, number>;
  for (const { state } of members) counts[state]++;
  return counts;
}

/** The leads of cells that are waited for, in words; see `describeLeads`. */
export function describeAwaited(members: readonly RunMember[]): string {
  return describeLeads(members, ({ state }) => !isSettled(state));
}

/** The leads of the cells that are meant, in words: `nowcast -2h..0h, 3h, 6h..9h`; empty where there are none. */
export function describeLeads(members: readonly RunMember[], isMeant: (member: RunMember) => boolean): string {
  const spans: { from: RunMember; to: RunMember }[] = [];
  for (const [index, member] of members.entries()) {
    if (!isMeant(member)) continue;
    const before = members[index - 1];
    const span = spans.at(-1);
    if (span !== undefined && before === span.to && before.isNowcast === member.isNowcast) span.to = member;
    else spans.push({ from: member, to: member });
  }
  return spans
    .map(({ from, to }) => {
      const leads = from === to ? describeLead(from.leadMs) : `${describeLead(from.leadMs)}..${describeLead(to.leadMs)}`;
      return from.isNowcast ? `nowcast ${leads}` : leads;
    })
    .join(", ");
}

function memberState(granule: RunGranule | undefined, isOver: boolean): MemberState {
  switch (granule?.state) {
    case "published":
    case "ready":
    case "heard":
    case "quarantined":
    case "skipped":
      return granule.state;
    default:
      return isOver ? "missing" : "expected";
  }
}

/** The cells that a granule fills, counted from the run's first; none where it has no place in the run. */
function cellsOf(cells: ForecastCells, runs: Runs, runMs: number, { fields = {} }: RunGranule): number[] {
  const { run, kind, steps } = fields;
  const validMs = validTimeOf(fields, runs);
  if (run !== runMs || validMs === undefined) return [];
  const place = cells.placeOf({ runMs, kind }, [validMs]);
  if (typeof place === "string") return [];
  const first = place - cells.beginOfRun(place);
  const count = Math.min(typeof steps === "number" ? steps : 1, cells.perRun - first);
  return Array.from({ length: count }, (_, step) => first + step);
}
