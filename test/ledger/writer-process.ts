// A process of its own that writes to a ledger: node writer-process.ts URL PREFIX COUNT. One line for each acknowledged granule.
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { isFreshetError } from "../../src/errors/index.ts";
import { openLedger } from "../../src/ledger/index.ts";

const [url = "", prefix = "", count = "0"] = process.argv.slice(2);
const ledger = await openLedger(url);
for (let index = 0; index < Number(count); index++) {
  const id = { dataset: "ostia", key: `${prefix}${index}`, identity: "etag:1" };
  await persevere(() => ledger.hear({ ...id, uri: `https://agency/${id.key}` }));
  await persevere(() => ledger.record({ ...id, state: "ready" }));
  // Every writer also says the same of one granule that all of them share.
  await persevere(() => ledger.hear({ ...id, key: "shared" }));
  await persevere(() => ledger.record({ ...id, key: "shared", state: "ready" }));
  writeSync(1, `${id.key}\n`);
}
await ledger.close();

/** Asks again while the server is away, as Temporal would. */
async function persevere(act: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await act();
      return;
    } catch (error) {
      if (!isFreshetError(error, "unreachable")) throw error;
      await sleep(50);
    }
  }
}
