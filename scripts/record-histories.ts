/**
 * Records the histories that the replay test runs: `node scripts/record-histories.ts`. To be run when a workflow has changed on
 * purpose; histories of earlier versions are kept while workers of these versions may have open workflows.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { historyToJSON } from "@temporalio/common/lib/proto-utils.js";
import { OSTIA, type RealGranule } from "../test/support/granules.ts";
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

for (const [file, id] of [
  ["granule-awaited-then-published", late.workflowId],
  ["granule-published", `granule:ostia:${three.key}`],
  ["granule-quarantined-retried-skipped", workflowId],
  ["dataset-two-publications", "dataset:ostia"],
] as const) {
  const history = await world.client.workflow.getHandle(id).fetchHistory();
  const text = JSON.stringify(JSON.parse(historyToJSON(history)), undefined, 1)
    .replaceAll(/"identity": "[^"]*"/g, '"identity": "recorder"')
    .replaceAll(/"stackTrace": "(?:[^"\\]|\\.)*"/g, '"stackTrace": ""');
  writeFileSync(`${folder}${file}.json`, `${text}\n`);
  console.log(`${file}: ${history.events?.length} events`);
}
await world.stop();
process.exit(0);
