// Writes the forms of a workshop once, and dies when it reaches a step for the n-th time: form-process.ts FOLDER HASH STEP N.
import { join } from "node:path";
import { datasetOfText } from "../../src/dataset/index.ts";
import { openLedger } from "../../src/ledger/index.ts";
import { Forms } from "../../src/publication/index.ts";
import { ScanStore } from "../../src/scan/index.ts";
import { onStep } from "../../src/steps/index.ts";

const [folder = "", text = "", step = "", time = "1"] = process.argv.slice(2);
let left = Number(time);
onStep((reached) => {
  if (reached === step && --left === 0) process.kill(process.pid, "SIGKILL");
});
const ledger = await openLedger(join(folder, "ledger.db"));
const forms = new Forms({ ledger, scans: new ScanStore(folder), now: () => Date.now() + 3_600_000 });
await forms.publish(datasetOfText(text), () => undefined, new AbortController().signal);
await ledger.close();
// The binding keeps a process alive.
process.exit();
