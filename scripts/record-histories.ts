/**
 * Records the histories that the replay test runs: `node scripts/record-histories.ts`. To be run when a workflow has changed on
 * purpose; histories of earlier versions are kept while workers of these versions may have open workflows.
 */
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { historyToJSON } from "@temporalio/common/lib/proto-utils.js";
import { parseDatasetFile } from "../src/dataset/index.ts";
import { applyDatasets, beginBackfill, startReconciliation, tellRun } from "../src/starters/index.ts";
import { Hook } from "../test/notify/hook.ts";
import { TestCmr } from "../test/support/cmr.ts";
import { MOGREPS, OSTIA, type RealGranule } from "../test/support/granules.ts";
import { World } from "../test/support/world.ts";

const folder = fileURLToPath(new URL("../test/histories/", import.meta.url));
mkdirSync(folder, { recursive: true });
const world = await World.start();
const [one, two, three] = OSTIA as [RealGranule, RealGranule, RealGranule];

const late = await world.announce(one.name);
await world.inStage(late.workflowId, "awaiting");
await world.deliver(one);
await world.deliver(three);
const bad = two.name.replace("20170606", "20170610");
await world.agency.publish(bad, Buffer.from("not a granule"));
const { workflowId } = await world.announce(bad);
await world.inStage(workflowId, "quarantined");
const handle = world.client.workflow.getHandle(workflowId);
await handle.executeUpdate("decide", { args: [{ action: "retry", reason: "try again", by: "recorder" }] });
await world.inStage(workflowId, "quarantined");
await handle.executeUpdate("decide", { args: [{ action: "skip", reason: "give up", by: "recorder" }] });
await handle.result();

// Announced with a size that it does not have, and with the right one while that is waited for.
const [four] = MOGREPS as [RealGranule];
const contradicted = await world.announce(four.name, { size: 1 });
await world.inStage(contradicted.workflowId, "awaiting");
await world.agency.publish(four.name, { copyOf: four.path });
await world.announce(four.name, { size: statSync(four.path).size });
await world.client.workflow.getHandle(contradicted.workflowId).result();

for (const [file, id] of [
  ["granule-newer-announcement-first", contradicted.workflowId],
  ["granule-awaited-then-published", late.workflowId],
  ["granule-published", `granule:ostia:${three.key}`],
  ["granule-quarantined-retried-skipped", workflowId],
  ["dataset-two-publications", "dataset:ostia"],
] as const)
  await keep(file, id);

// One granule a run; the deadline is far away, so that the run is looked at whenever this is recorded.
const [runs] = parseDatasetFile(
  `
sources: { agency: { at: "${world.agency.url}" } }
---
name: daily
from: { source: agency }
match: "{run:%Y%m%d%H%M%S}-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc"
runs: { every: 1d, at: "12:00Z", leads: 0h, deadline: 9000d }
products: [ { forecast: { views: [best], store: "stores/daily" } } ]
publish: { coalesce: 50ms }
`,
  { file: join(world.settings.home, "daily.yaml") },
).datasets;
if (runs === undefined) throw new Error("no dataset");
const [applied] = await applyDatasets(world.client, world.ledger, [runs]);
const reference = { name: runs.name, hash: applied?.hash ?? "" };
const dayOfRun = "20170605T1200Z";
await tellRun(world.client, reference, runs, Date.UTC(2017, 5, 5, 12));
const runHandle = world.client.workflow.getHandle(`run:daily:${dayOfRun}`);
await world.until(
  async () => (await runHandle.query<{ stage: string } | undefined>("status"))?.stage === "open",
  "the run is open",
);
await world.announce(one.name);
await runHandle.result();

await keep("run-opened-then-complete", `run:daily:${dayOfRun}`);
// What schedules and commands start: each once, as it ends by itself.
const hook = await Hook.start();
const [told] = parseDatasetFile(
  `
sources: { files: { at: "${world.agency.folder}", listing: { every: 1d } } }
---
name: listed
from: { source: files }
match: "{valid:%Y%m%d%H%M%S}-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc"
products: [ { timeseries: { calendar: { every: 1d, at: "12:00Z" }, store: "stores/listed" } } ]
publish: { coalesce: 50ms }
notify: [ { when: published, webhook: { url: "${hook.url}" } } ]
`,
  { file: join(world.settings.home, "listed.yaml") },
).datasets;
if (told === undefined) throw new Error("no dataset");
const [listed] = await applyDatasets(world.client, world.ledger, [told]);
const listedReference = { name: told.name, hash: listed?.hash ?? "" };
await world.client.schedule.getHandle("listing:files").trigger();
await world.until(async () => hook.calls.length > 0, "somebody is told");
const uris = [`${pathToFileURL(world.agency.folder).href}/${one.name}`];
const backfill = await beginBackfill(world.client, world.settings.home, listedReference, uris, { window: 10, again: true });
await world.client.workflow.getHandle(backfill).result();
const reconciliation = await startReconciliation(world.client, { dataset: listedReference, act: false });
await reconciliation.result();
await world.client.schedule.getHandle("maintenance:listed").trigger();
const archive = await TestCmr.start();
archive.ingest(archive.collection("OSTIA-TEST"), { name: one.name, links: [{ url: `${world.agency.url}${one.name}` }] });
const { datasets: searched } = parseDatasetFile(
  `
sources: { archive: { at: "${world.agency.url}", cmr: { endpoint: "${archive.url}", every: 1d } } }
---
name: searched
from: { source: archive, collection: OSTIA-TEST }
match: "{valid:%Y%m%d%H%M%S}-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc"
products: [ { timeseries: { calendar: { every: 1d, at: "12:00Z" }, store: "stores/searched" } } ]
`,
  { file: join(world.settings.home, "searched.yaml") },
);
await applyDatasets(world.client, world.ledger, searched);
for (const [file, type] of [
  ["listing-looked-once", "listing"],
  ["notification-told", "notification"],
  ["backfill-of-one", "backfill"],
  ["reconcile-report", "reconcile"],
  ["maintenance-swept", "maintenance"],
  ["cmr-looked-once", "cmr"],
] as const)
  await keep(file, await ended(type));
await hook.stop();
await archive.close();
await world.stop();
process.exit(0);

/** The id of the first workflow of a type that has ended. */
async function ended(type: string): Promise<string> {
  let id: string | undefined;
  await world.until(async () => {
    const query = `WorkflowType="${type}" AND ExecutionStatus="Completed"`;
    for await (const { workflowId } of world.client.workflow.list({ query })) id ??= workflowId;
    return id !== undefined;
  }, `a ${type} has ended`);
  return id as string;
}

async function keep(file: string, id: string): Promise<void> {
  const history = await world.client.workflow.getHandle(id).fetchHistory();
  const text = JSON.stringify(JSON.parse(historyToJSON(history)), undefined, 1)
    .replaceAll(/"identity": "[^"]*"/g, '"identity": "recorder"')
    .replaceAll(/"stackTrace": "(?:[^"\\]|\\.)*"/g, '"stackTrace": ""');
  writeFileSync(`${folder}${file}.json`, `${text}\n`);
  console.log(`${file}: ${history.events?.length} events`);
}
