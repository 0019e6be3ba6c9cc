import { type Dataset, datasetOfText } from "../../dataset/index.ts";
import type { Ledger } from "../../ledger/index.ts";
import { lookAtProduct } from "../../publication/index.ts";
import type { GranuleView } from "../granule-view.ts";
import { paint } from "../paint.ts";
import { principalArray } from "../principal-array.ts";
import { readingLines } from "../reading-lines.ts";
import { table } from "../table.ts";
import type { AgencyRecord } from "./agency-day.ts";
import { DEMO_DATASETS } from "./granules.ts";
import type { TemporalLines } from "./temporal-lines.ts";

const MOST_VERSIONS = 100;

/** The published versions of every product, newest last. */
export async function versionLines(ledger: Ledger): Promise<string[]> {
  const rows: string[][] = [];
  for (const { name } of DEMO_DATASETS) {
    for (const version of (await ledger.publications(name, undefined, MOST_VERSIONS)).toReversed()) {
      const { product, sequence, snapshot, granules, atMs, message } = version;
      const what = message.split("\n")[0]?.replace(/^\S+ #\d+: /, "") ?? "";
      rows.push([`${name}/${product}`, `#${sequence}`, snapshot, `${granules}`, clock(atMs), what]);
    }
  }
  const columns = [
    { title: "product" },
    { title: "version", align: "right" },
    { title: "snapshot" },
    { title: "granules", align: "right" },
    { title: "published" },
    { title: "what" },
  ] as const;
  return ["", paint("strong", "Published versions"), ...table(columns, rows)];
}

/** For each granule the time from its announcement until readers saw it, in the order of announcement. */
export function timeLines(granules: readonly GranuleView[], records: ReadonlyMap<string, AgencyRecord>): string[] {
  const rows = [...granules]
    .sort((a, b) => (a.announcedMs ?? 0) - (b.announcedMs ?? 0))
    .map(({ dataset, key, announcedMs, readableMs }) => {
      const record = records.get(`${dataset}/${key}`);
      const spent = announcedMs === undefined || readableMs === undefined ? undefined : readableMs - announcedMs;
      return [
        dataset,
        key,
        announcedMs === undefined ? "" : clock(announcedMs),
        spent === undefined ? "not readable" : seconds(spent),
        remark(record, readableMs),
      ];
    });
  const columns = [
    { title: "dataset" },
    { title: "granule" },
    { title: "announced" },
    { title: "seconds", align: "right" },
    { title: "" },
  ] as const;
  return ["", paint("strong", "From announcement to readable"), ...table(columns, rows)];
}

function remark(record: AgencyRecord | undefined, readableMs: number | undefined): string {
  if (record === undefined) return "";
  if (record.isDrifted) return "waits in quarantine for a decision: see below";
  const { publishedMs, firstAnnouncedMs, announcements } = record;
  const absent = (publishedMs ?? 0) - firstAnnouncedMs;
  if (absent > 0 && readableMs !== undefined && publishedMs !== undefined) {
    return `was there ${seconds(absent)} s after its announcement, readable ${seconds(readableMs - publishedMs)} s later`;
  }
  if (record.newsMs > firstAnnouncedMs) {
    const before =
      announcements > 2 ? "announced twice, which changed nothing; then replaced" : "broken off at first, then corrected";
    return `${before}: from that announcement`;
  }
  return announcements > 1 ? `announced ${announcements} times; the second time changed nothing` : "";
}

/** The commands that decide about a granule in quarantine; they want a server and a worker. */
export function decisionLines(
  granules: readonly GranuleView[],
  {
    home,
    running,
    again,
    temporal,
  }: { readonly home: string; readonly running: string; readonly again: string; readonly temporal: string },
): string[] {
  const waiting = granules.find(({ stage }) => stage === "quarantined");
  if (waiting === undefined) return [];
  const { dataset, key } = waiting;
  return [
    heading("The granule that waits for a decision: see why"),
    `${home} bin/freshet quarantine show ${dataset} ${key}`,
    heading(
      `Decide, while it runs${again === "" ? "" : ` (${again})`}: its form is right and begins a new epoch; or leave it out`,
    ),
    `${running} bin/freshet quarantine accept ${dataset} ${key} --reason "the agency packs with another scale from now on"`,
    `${running} bin/freshet quarantine skip ${dataset} ${key} --reason "a mistake of the agency"`,
    heading("The same by Temporal alone"),
    temporal,
  ];
}

/** The commands with which a person goes on from here. */
export async function commandLines(ledger: Ledger, temporal: TemporalLines): Promise<string[]> {
  const lines: string[] = [];
  for (const { name } of DEMO_DATASETS) {
    const stored = await ledger.currentDataset(name);
    if (stored !== undefined) lines.push(...(await openingLines(datasetOfText(stored.text))));
  }
  const isOver = temporal.start.length > 0;
  lines.push(heading(`The history of one granule${isOver ? " (the server is started on the demo's database once more)" : ""}`));
  lines.push(...temporal.start, temporal.show, ...(isOver ? [temporal.stop] : []));
  return lines;
}

async function openingLines(dataset: Dataset): Promise<string[]> {
  const lines: string[] = [];
  for (const product of dataset.products) {
    const state = await lookAtProduct(dataset, product);
    if (state === undefined) continue;
    const array = await principalArray(state, product);
    if (array === undefined) continue;
    const { xarray, zarrita } = readingLines({ folder: state.store.folder, prefixes: state.prefixes, array });
    lines.push(
      heading(`${dataset.name} in xarray, from the project's folder (elsewhere: any Python with icechunk 2, xarray and zarr)`),
      xarray,
    );
    lines.push(heading(`${dataset.name} in zarrita, from the project's folder`), zarrita);
  }
  return lines;
}

function heading(text: string): string {
  return `\n${paint("strong", `# ${text}`)}`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2);
}

function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}
