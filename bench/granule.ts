import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { passGate, recordVerdict, resolveRevision } from "../src/acquisition/index.ts";
import { canonicalDataset, compileNames, type Dataset, parseDatasetFile } from "../src/dataset/index.ts";
import { openLedger } from "../src/ledger/index.ts";
import { ScanStore, scan, withSamples } from "../src/scan/index.ts";
import { openReader } from "../src/storage/index.ts";
import { takeSamples } from "../src/witness/index.ts";
import { granuleBytes } from "../test/products/made-granule.ts";
import { startTestAgency } from "../test/support/agency.ts";
import { Parts, partRows } from "./figures.ts";

/** What a granule's activities do, without Temporal: milliseconds by part, over HTTP on this machine. */
export async function granule(count: number) {
  const folder = await mkdtemp(join(tmpdir(), "freshet-bench-"));
  const agency = await startTestAgency(join(folder, "agency"));
  const ledger = await openLedger(join(folder, "ledger.db"));
  const scans = new ScanStore(folder);
  const text = `
sources: { s: { at: "${agency.url}" } }
---
name: bench
from: { source: s }
match: "{valid:%Y%m%d%H}.nc"
products: [ { timeseries: { calendar: { every: 1h }, store: store } } ]
`;
  const dataset = parseDatasetFile(text, { file: join(folder, "d.yaml") }).datasets[0] as Dataset;
  const names = compileNames(dataset.match);
  const signal = new AbortController().signal;
  const runs: Parts[] = [];
  for (let hour = 0; hour < count + 5; hour++) {
    const validMs = Date.UTC(2020, 0, 1) + hour * 3_600_000;
    const name = `${new Date(validMs).toISOString().replace(/[-:T]/g, "").slice(0, 10)}.nc`;
    await agency.publish(name, granuleBytes({ seconds: [validMs / 1000], value: () => hour }));
    const fields = names.match(name) ?? {};
    const reference = { name: dataset.name, hash: canonicalDataset(dataset).hash };
    const announced = { dataset: reference, key: names.key(fields), fields };
    const announcement = { uri: `${agency.url}${name}`, by: "bench", heardMs: 0 };
    const parts = new Parts();
    const context = { ledger, signal, onProgress: () => undefined, now: Date.now };
    const { identity, uri } = await resolveRevision(announced, dataset, announcement, context);
    parts.mark("resolve, hear (download)");
    const reader = await openReader(uri);
    parts.mark("open the source again");
    const found = await scan(reader);
    parts.mark("scan");
    const samples = await takeSamples(reader, found, { chunks: dataset.publish.verify.chunks, signal });
    parts.mark("witness");
    const whole = withSamples(found, samples);
    const address = await scans.put(whole);
    parts.mark("keep the scan");
    const answer = await passGate(announced, dataset, identity, { scan: whole, address }, { ledger, scans });
    if (answer.kind !== "passed") throw new Error(`the gate says ${answer.kind}`);
    parts.mark("gate");
    const counts = { variables: { referenced: 1, inlined: 0, refused: 0 }, references: 1 };
    const scanned = { identity, scanUri: address.uri, scanSha256: address.sha256, ...counts, ...answer.passed };
    await recordVerdict(ledger, announced, announcement, identity, { state: "ready", scanned });
    parts.mark("record");
    await reader.close();
    if (hour >= 5) runs.push(parts);
  }
  await ledger.close();
  await agency.close();
  await rm(folder, { recursive: true, force: true });
  return partRows(runs);
}
