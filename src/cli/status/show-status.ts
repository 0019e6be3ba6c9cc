import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@temporalio/client";
import { createLogUpdate } from "log-update";
import type { Ledger } from "../../ledger/index.ts";
import { appliedDataset } from "../applied-dataset.ts";
import { interruptSignal } from "../interrupt.ts";
import { isListening } from "../is-listening.ts";
import { paint } from "../paint.ts";
import type { Session } from "../session.ts";
import { datasetStatus } from "./dataset-status.ts";
import { granulesStatus } from "./granules-status.ts";
import { historyStatus } from "./history-status.ts";
import type { StatusReport } from "./report.ts";

const LOOK_EVERY_MS = 1_000;

export interface StatusQuestion {
  /** All datasets where it is undefined. */
  readonly dataset: string | undefined;
  readonly granule: string | undefined;
  readonly watch: boolean;
  readonly json: boolean;
  readonly limit: number;
}

/** Prints the answer once, or over and over. @throws FreshetError `usage`, `storage`; an AbortError at Ctrl-C. */
export async function showStatus(session: Session, question: StatusQuestion): Promise<void> {
  const ledger = await session.ledger();
  if (question.dataset !== undefined) await appliedDataset(ledger, question.dataset);
  if (!question.watch) {
    const { report, note } = await look(session, ledger, question);
    if (note !== "") process.stderr.write(`${note}\n`);
    console.log(textOf(report, question));
    return;
  }
  const signal = interruptSignal();
  const isScreen = process.stdout.isTTY === true && !question.json;
  const screen = isScreen ? createLogUpdate(process.stdout) : undefined;
  let before = "";
  try {
    for (;;) {
      const { report, note } = await look(session, ledger, question);
      const text = textOf(report, question);
      if (screen !== undefined) screen(`${new Date().toISOString().slice(11, 19)}Z${note === "" ? "" : `  ${note}`}\n${text}`);
      else if (changing(report) !== before) console.log(text);
      before = changing(report);
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  } finally {
    screen?.done();
  }
}

/** What counts as a change where nothing can be drawn again: ages do not. */
function changing({ records }: StatusReport): string {
  return JSON.stringify(records);
}

function textOf({ lines, records }: StatusReport, { json }: StatusQuestion): string {
  return json ? records.map((record) => JSON.stringify(record)).join("\n") : lines.join("\n");
}

async function look(
  session: Session,
  ledger: Ledger,
  question: StatusQuestion,
): Promise<{ readonly report: StatusReport; readonly note: string }> {
  const { temporalAddress } = session.settings;
  const client = (await isListening(temporalAddress)) ? await session.client() : undefined;
  const note =
    client === undefined
      ? paint("waiting", `Temporal is not reachable at ${temporalAddress}: this is what the ledger knows`)
      : "";
  return { report: await reportFor(session, ledger, client, question), note };
}

function reportFor(
  session: Session,
  ledger: Ledger,
  client: Client | undefined,
  { dataset, granule, limit }: StatusQuestion,
): Promise<StatusReport> {
  const nowMs = Date.now();
  if (dataset === undefined) return datasetStatus(ledger, client, nowMs);
  if (granule === undefined) return granulesStatus(ledger, client, dataset, { limit, nowMs });
  return historyStatus(ledger, client, { dataset, key: granule }, session.settings);
}
