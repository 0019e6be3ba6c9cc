/**
 * One upkeep of a store that keeps the newest three versions, without grace; kills itself at the given place. Arguments: folder,
 * number of removed objects after which it ends (0: before the first; -1: never).
 */
import { onStep } from "../../../src/steps/index.ts";
import { openGrowing } from "./growing-store.ts";

const [, , folder, after] = process.argv as [string, string, string, string];
const store = await openGrowing({ folder, prefix: "file:///nowhere/", arrays: 2, split: 10 });
let removed = -1;
onStep((step) => {
  if (step === "upkeep: before removing" || step === "upkeep: object removed") removed++;
  if (removed === Number(after)) process.kill(process.pid, "SIGKILL");
});
const report = await store.upkeep({ retain: { newest: 3 }, graceMs: 0 });
process.stdout.write(String(report.removed.count));
process.exit();
