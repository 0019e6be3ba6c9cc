import type { Client } from "@temporalio/client";
import type { FormState } from "../../contract/index.ts";
import { type Dataset, datasetOfText } from "../../dataset/index.ts";
import type { Ledger, Publication, RaisedAlarm, RevisionState, Traffic } from "../../ledger/index.ts";
import { lookAtForms } from "../../publication/index.ts";
import { paint } from "../paint.ts";
import { count, table } from "../table.ts";
import { askForms, lookAtTemporal, type OpenWorkflow, type TemporalView } from "../temporal-view.ts";
import { formLines, isBehind, withReasons } from "./form-lines.ts";
import { describeAge, type StatusReport } from "./report.ts";

/** Open granules that are counted; more are told as so many and more. */
const MOST_OPEN = 200;

/** Every dataset: its revisions by state, its newest version and how old that is, what its workflow does. */
export async function datasetStatus(ledger: Ledger, client: Client | undefined, nowMs: number): Promise<StatusReport> {
  const datasets = await ledger.datasets();
  if (datasets.length === 0) return { lines: ["No dataset is applied yet: freshet apply FILE"], records: [] };
  const rows: string[][] = [];
  const records: unknown[] = [];
  const remarks: string[] = [];
  for (const { name, hash, text } of datasets) {
    const counts = await ledger.counts(name);
    const [last] = await ledger.publications(name, undefined, 1);
    const temporal = client && (await lookAtTemporal(client, name, MOST_OPEN));
    const open = temporal?.granules.size;
    const forms = await formStates(datasetOfText(text), ledger, client);
    const alarms = await openAlarms(ledger, name);
    rows.push([
      name,
      `${counts.published}`,
      open === undefined ? "?" : `${open}${open >= MOST_OPEN ? "+" : ""}`,
      `${counts.ready}`,
      counts.quarantined === 0 ? "0" : paint("bad", `${counts.quarantined}`),
      others(counts),
      last === undefined ? "none" : `#${last.sequence} ${last.snapshot}`,
      last === undefined ? "" : describeAge(last.atMs, nowMs),
      temporal === undefined ? "?" : writerText(temporal.writer),
    ]);
    records.push({
      dataset: name,
      hash,
      counts,
      open: open ?? null,
      last: last === undefined ? null : summaryOf(last),
      workflow: temporal?.writer ?? null,
      troubles: temporal?.troubles ?? [],
      held: temporal?.held ?? [],
      ...(forms.length === 0 ? {} : { forms }),
      alarms,
    });
    if (temporal !== undefined) remarks.push(...remarkLines(name, temporal));
    const behind = forms.filter((form) => isBehind(form) || form.trouble !== "");
    remarks.push(...formLines(name, behind, nowMs));
    remarks.push(...alarmLines(name, alarms));
  }
  remarks.push(...unmatchedLines(await ledger.traffic(), nowMs));
  const lines = [...table(COLUMNS, rows), ...(remarks.length === 0 ? [] : ["", ...remarks])];
  return { lines, records };
}

/** How far the forms of a dataset are; for those that are behind, the workflow is asked why. */
export async function formStates(dataset: Dataset, ledger: Ledger, client: Client | undefined): Promise<FormState[]> {
  const states = await lookAtForms(dataset, ledger);
  if (client === undefined || !states.some(isBehind)) return states;
  return withReasons(states, await askForms(client, dataset.name));
}

/** Troubles and holds of a dataset, a line each. */
export function remarkLines(name: string, { troubles, held }: Pick<TemporalView, "troubles" | "held">): string[] {
  return [
    ...troubles.map((trouble) => `  ${paint("bad", `${name}/${trouble}`)}`),
    ...held.map((hold) => `  ${paint("waiting", `${name}/${hold}`)}`),
  ];
}

/** Alarms that are told; a dataset has a few. */
const MOST_ALARMS = 20;

/** What should have come to a dataset and has not. */
export function openAlarms(ledger: Ledger, dataset: string): Promise<readonly RaisedAlarm[]> {
  return ledger.alarms({ dataset, isOpen: true, limit: MOST_ALARMS });
}

export function alarmLines(name: string, alarms: readonly RaisedAlarm[]): string[] {
  return alarms.map(({ text }) => `  ${paint("bad", `${name}: ${text}`)}`);
}

/** A source whose traffic is not all for a dataset, a line each. */
function unmatchedLines(traffic: readonly Traffic[], nowMs: number): string[] {
  return traffic.flatMap(({ source, via, unmatched, unmatchedMs }) => {
    if (unmatchedMs === undefined) return [];
    const told = `source ${source} (${via}): ${count(unmatched, "name")} that no dataset knows, last ${describeAge(unmatchedMs, nowMs)} ago`;
    return [`  ${paint("waiting", told)}: freshet unmatched ${source}`];
  });
}

function summaryOf({ product, sequence, snapshot, atMs, granules }: Publication): unknown {
  return { product, sequence, snapshot, atMs, granules };
}

const COLUMNS = [
  { title: "dataset" },
  { title: "published", align: "right" },
  { title: "under way", align: "right" },
  { title: "ready", align: "right" },
  { title: "quarantined", align: "right" },
  { title: "others" },
  { title: "last version" },
  { title: "age", align: "right" },
  { title: "workflow", cut: true },
] as const;

const OTHERS: readonly RevisionState[] = ["superseded", "duplicate", "skipped", "withdrawn"];

function others(counts: Readonly<Record<RevisionState, number>>): string {
  return OTHERS.filter((state) => counts[state] > 0)
    .map((state) => `${counts[state]} ${state}`)
    .join(", ");
}

/** The stage of a dataset's workflow, and its trouble where it has some. */
export function writerText(writer: OpenWorkflow | undefined): string {
  if (writer === undefined) return paint("bad", "does not run");
  const { stage, activity } = writer;
  if (activity === undefined || activity.trouble === "") return stage;
  return `${stage}, attempt ${activity.attempt}: ${paint("bad", activity.trouble)}`;
}
