import type { Client } from "@temporalio/client";
import { type DriftDone, granuleWorkflowId } from "../../contract/index.ts";
import { FreshetError } from "../../errors/index.ts";
import type { HistoryEntry, Ledger } from "../../ledger/index.ts";
import type { Settings } from "../../worker/settings.ts";
import { lookAtGranule } from "../granule-view.ts";
import { paint, paintStage } from "../paint.ts";
import { shellWord } from "../shell-word.ts";
import { describeBytes, table } from "../table.ts";
import { temporalCommand } from "../temporal-command.ts";
import { lookAtTemporal } from "../temporal-view.ts";
import type { StatusReport } from "./report.ts";

/** Open workflows among which the granule's own is looked for; its state in the ledger is known in any case. */
const MOST_OPEN = 1_000;

/**
 * Everything that the ledger has of one granule, what it waits for now, and the commands that decide about one in quarantine.
 * @throws FreshetError `usage` when nobody has heard of it.
 */
export async function historyStatus(
  ledger: Ledger,
  client: Client | undefined,
  granule: { readonly dataset: string; readonly key: string },
  settings: Settings,
): Promise<StatusReport> {
  const { dataset, key } = granule;
  const temporal = client && (await lookAtTemporal(client, dataset, MOST_OPEN));
  const found = await lookAtGranule(ledger, temporal, dataset, key);
  if (found === undefined) {
    throw new FreshetError("usage", "nobody has heard of this granule", {
      found: key,
      path: dataset,
      remedy: `List those that there are: freshet status ${dataset}`,
    });
  }
  const { view, history } = found;
  const attempt = view.attempt === undefined ? "" : `, attempt ${view.attempt}`;
  const lines = [
    `${paint("strong", `${dataset} ${key}`)}: ${paintStage(view.stage)}${attempt}`,
    ...(view.waitsFor === "" ? [] : [`  ${view.isOpen || view.stage === "ready" ? "waits for" : "because"}: ${view.waitsFor}`]),
    `  workflow: ${granuleWorkflowId(dataset, key)}${view.isOpen ? ", open" : ""}`,
    "",
    ...(history.length === 0 ? ["  The ledger has not heard of its bytes yet."] : table(COLUMNS, history.map(row))),
    ...(view.stage === "quarantined" ? decisionLines(granule, settings) : []),
  ];
  return { lines, records: [{ ...view, history }] };
}

const COLUMNS = [
  { title: "event", align: "right" },
  { title: "time" },
  { title: "state" },
  { title: "revision" },
  { title: "what" },
] as const;

function row(entry: HistoryEntry): string[] {
  const { seq, atMs, state, identity } = entry;
  return [`${seq}`, new Date(atMs).toISOString(), paintStage(state), shortIdentity(identity), what(entry)];
}

function what({ state, reason, facts, detail, publication }: HistoryEntry): string {
  if (publication !== undefined) return `${publication.product} #${publication.sequence}`;
  const { announcedMs, references, drift } = detail;
  const parts = [
    state === "heard" && reason !== "" ? `by ${reason}` : reason,
    facts.size === undefined ? "" : describeBytes(facts.size),
    typeof announcedMs === "number" ? `announced ${new Date(announcedMs).toISOString().slice(11)}` : "",
    typeof references === "number" ? `${references} references` : "",
    driftWords(drift as DriftDone | undefined),
    facts.uri ?? "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** What was done about a granule of another form. */
function driftWords(drift: DriftDone | undefined): string {
  if (drift === undefined) return "";
  if (drift.action === "epoch") return `began an epoch: ${drift.because}`;
  const named = (what: string, paths: readonly string[] = []): string =>
    paths.length === 0 ? "" : `; ${what}: ${paths.join(", ")}`;
  return `native copy: ${drift.because}${named("all missing", drift.filled)}${named("left out", drift.leftOut)}`;
}

/** The beginning of it, as far as people need it to tell revisions apart. */
function shortIdentity(identity: string): string {
  return identity.length <= 24 ? identity : `${identity.slice(0, 23)}…`;
}

function decisionLines({ dataset, key }: { readonly dataset: string; readonly key: string }, settings: Settings): string[] {
  const command = (action: string): string =>
    [
      ...[temporalCommand(), "workflow", "update", "execute", "--address", settings.temporalAddress],
      ...["--namespace", settings.temporalNamespace, "--workflow-id", granuleWorkflowId(dataset, key), "--name", "decide"],
      ...["--input", JSON.stringify({ action, reason: "WHY", by: process.env.USER ?? "WHO" })],
    ]
      .map(shellWord)
      .join(" ");
  return ["", "Decide:", `  ${command("retry")}`, `  ${command("skip")}`, `  ${command("accept")}`];
}
