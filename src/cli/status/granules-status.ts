import type { Client } from "@temporalio/client";
import { datasetOfText } from "../../dataset/index.ts";
import type { Ledger } from "../../ledger/index.ts";
import { type GranuleView, lookAtGranules } from "../granule-view.ts";
import { paint, paintStage } from "../paint.ts";
import { count, table } from "../table.ts";
import { lookAtTemporal } from "../temporal-view.ts";
import { alarmLines, formStates, openAlarms, remarkLines, writerText } from "./dataset-status.ts";
import { formLines } from "./form-lines.ts";
import { describeAge, instant, type StatusReport } from "./report.ts";

const MOST_VERSIONS = 3;

/** The granules of one dataset, those that changed last first, below its newest versions. */
export async function granulesStatus(
  ledger: Ledger,
  client: Client | undefined,
  dataset: string,
  options: { readonly limit: number; readonly nowMs: number },
): Promise<StatusReport> {
  const { limit, nowMs } = options;
  const temporal = client && (await lookAtTemporal(client, dataset, limit));
  const granules = (await lookAtGranules(ledger, temporal, dataset, limit)).slice(0, limit);
  const current = await ledger.currentDataset(dataset);
  const forms = current === undefined ? [] : await formStates(datasetOfText(current.text), ledger, client);
  const versions = await ledger.publications(dataset, undefined, MOST_VERSIONS);
  const lines = [
    `${paint("strong", dataset)}${temporal === undefined ? "" : `: workflow ${writerText(temporal.writer)}`}`,
    ...(temporal === undefined ? [] : remarkLines(dataset, temporal)),
    ...alarmLines(dataset, await openAlarms(ledger, dataset)),
    ...versions.map(
      ({ product, sequence, snapshot, granules: held, atMs }) =>
        `  ${product} #${sequence} ${snapshot}, ${count(held, "granule")}, ${instant(atMs)} (${describeAge(atMs, nowMs)} ago)`,
    ),
    ...formLines(dataset, forms, nowMs),
    "",
    ...(granules.length === 0 ? ["  no granule yet"] : table(COLUMNS, granules.map(row))),
  ];
  return { lines, records: granules };
}

const COLUMNS = [
  { title: "granule" },
  { title: "stage" },
  { title: "attempt", align: "right" },
  { title: "announced" },
  { title: "readable after", align: "right" },
  { title: "waits for, or why", cut: true },
] as const;

function row({ key, stage, attempt, announcedMs, readableMs, waitsFor }: GranuleView): string[] {
  const spent = announcedMs === undefined || readableMs === undefined ? undefined : readableMs - announcedMs;
  return [
    key,
    paintStage(stage),
    attempt === undefined ? "" : `${attempt}`,
    announcedMs === undefined ? "" : instant(announcedMs),
    spent === undefined ? "" : `${(spent / 1000).toFixed(1)} s`,
    waitsFor,
  ];
}
