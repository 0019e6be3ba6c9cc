import type { Dataset, Runs } from "../../dataset/index.ts";
import {
  countMembers,
  describeAwaited,
  describeLead,
  type ForecastRun,
  type MemberState,
  type RunMember,
  type RunState,
  runName,
} from "../../products/index.ts";
import { paint, type Tone } from "../paint.ts";
import { describeAge } from "../status/report.ts";
import { table } from "../table.ts";

/** Cells to a line of the matrix where stdout is no terminal; on one, what fits beside the other columns. */
const MOST_CELLS = 120;
const LEAST_CELLS = 24;
/** What stands beside the matrix. */
const BESIDE = 62;

/** The sign of a cell: those further down hide those above where one sign stands for several. */
const SIGNS: readonly {
  readonly of: MemberState | "late";
  readonly sign: string;
  readonly tone: Tone;
  readonly means: string;
}[] = [
  { of: "published", sign: "#", tone: "good", means: "published" },
  { of: "late", sign: "L", tone: "waiting", means: "came late" },
  { of: "skipped", sign: "s", tone: "faint", means: "skipped" },
  { of: "ready", sign: "+", tone: "waiting", means: "ready" },
  { of: "expected", sign: ".", tone: "faint", means: "not due yet" },
  { of: "heard", sign: "~", tone: "waiting", means: "under way" },
  { of: "quarantined", sign: "!", tone: "bad", means: "quarantined" },
  { of: "missing", sign: "-", tone: "bad", means: "missing" },
];

const TONES: Readonly<Record<RunState, Tone>> = { open: "waiting", complete: "good", late: "bad", "given up": "faint" };

/** The matrix run × lead, the newest run first, each with its state, counts and deadline. */
export function runLines(dataset: Dataset, runs: Runs, found: readonly ForecastRun[], nowMs: number): string[] {
  const cells = found[0]?.members.length ?? 0;
  const perSign = Math.ceil(cells / cellsOfLine());
  const rows = found.toReversed().map((run) => rowOf(run, perSign, nowMs));
  const used = new Set(found.flatMap(({ members }) => members.map(signOf)));
  const legend = SIGNS.filter(({ of }) => used.has(of)).map(({ sign, tone, means }) => `${paint(tone, sign)} ${means}`);
  const worst = perSign === 1 ? "" : `; a sign stands for ${perSign} cells, and shows the worst`;
  const due = runs.deadlineMs === undefined ? "no deadline" : `due ${describeLead(runs.deadlineMs)} after the run`;
  return [
    `${paint("strong", dataset.name)}: ${cells} cells a run, ${due}${runs.publish === undefined ? "" : ", published when complete"}`,
    ...table(columnsOf(found[0]?.members ?? [], perSign), rows),
    `  ${legend.join("  ")}${worst}`,
  ];
}

/** One run for programs. */
export function runRecord(dataset: Dataset, run: ForecastRun): unknown {
  const { runMs, state, dueMs, givenUpMs, givenUp, members, heardMs } = run;
  return {
    ...{ dataset: dataset.name, run: runName(runMs), runMs, state, dueMs: dueMs ?? null, givenUpMs, heardMs: heardMs ?? null },
    givenUp: givenUp ?? null,
    ...{ counts: countMembers(members), late: members.filter(({ isLate }) => isLate).length, awaited: describeAwaited(members) },
    members,
  };
}

function columnsOf(members: readonly RunMember[], perSign: number) {
  return [
    { title: "run" },
    { title: "state" },
    { title: "there", align: "right" },
    { title: "due" },
    { title: ruler(members, perSign) },
    { title: "waits for", cut: true },
  ] as const;
}

/** Leads above the cells, as many as there is room for. */
function ruler(members: readonly RunMember[], perSign: number): string {
  let text = "";
  for (const [index, { leadMs, isNowcast }] of members.entries()) {
    if (index % perSign !== 0 || text.length > index / perSign) continue;
    const before = members[index - perSign];
    const isMark = index === 0 || isNowcast !== before?.isNowcast || (index / perSign) % 10 === 0;
    if (!isMark || (text !== "" && text.length === index / perSign && !text.endsWith(" "))) continue;
    text = `${text.padEnd(index / perSign)}${describeLead(leadMs)} `;
  }
  return text.trimEnd();
}

function rowOf({ runMs, state, dueMs, members }: ForecastRun, perSign: number, nowMs: number): string[] {
  const { published, ready, skipped } = countMembers(members);
  const due = dueMs === undefined ? "" : dueMs >= nowMs ? `in ${describeAge(nowMs, dueMs)}` : `${describeAge(dueMs, nowMs)} ago`;
  return [
    runName(runMs),
    paint(TONES[state], state),
    `${published + ready + skipped}/${members.length}`,
    due,
    matrixRow(members, perSign),
    describeAwaited(members),
  ];
}

function matrixRow(members: readonly RunMember[], perSign: number): string {
  let text = "";
  for (let at = 0; at < members.length; at += perSign) {
    const signs = members.slice(at, at + perSign).map((member) => SIGNS.findIndex(({ of }) => of === signOf(member)));
    const { sign, tone } = SIGNS[Math.max(...signs)] as (typeof SIGNS)[number];
    text += paint(tone, sign);
  }
  return text;
}

function signOf({ state, isLate }: RunMember): MemberState | "late" {
  return state === "published" && isLate ? "late" : state;
}

function cellsOfLine(): number {
  const { isTTY, columns } = process.stdout;
  return isTTY === true ? Math.max(LEAST_CELLS, columns - BESIDE) : MOST_CELLS;
}
