/** A webhook in a process of its own, by the settings of its environment, on the port of the first argument; with `dies` as the second one it dies when Temporal holds an announcement. */
import { writeSync } from "node:fs";
import { openLedger } from "../../src/ledger/index.ts";
import { Announcer, connectTemporal, startWebhook } from "../../src/starters/index.ts";
import { onStep } from "../../src/steps/index.ts";
import { readSettings } from "../../src/worker/index.ts";

const [, , port, ending] = process.argv;
const { temporalAddress, temporalNamespace, ledgerUrl } = readSettings();
onStep((step) => {
  writeSync(1, `${step}\n`);
  if (ending === "dies") process.kill(process.pid, "SIGKILL");
});
const client = await connectTemporal(temporalAddress, temporalNamespace);
const announcer = new Announcer(client, await openLedger(ledgerUrl));
const { url } = await startWebhook({ announcer, port: Number(port) });
writeSync(1, `${url}\n`);
