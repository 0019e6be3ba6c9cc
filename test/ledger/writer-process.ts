// A process of its own that writes to a ledger: node writer-process.ts PATH PREFIX COUNT. One line for each acknowledged granule.
import { writeSync } from "node:fs";
import { openLedger } from "../../src/ledger/index.ts";

const [path = "", prefix = "", count = "0"] = process.argv.slice(2);
const ledger = await openLedger(path);
for (let index = 0; index < Number(count); index++) {
  const id = { dataset: "ostia", key: `${prefix}${index}`, identity: "etag:1" };
  await ledger.hear({ ...id, uri: `https://agency/${id.key}` });
  await ledger.record({ ...id, state: "ready" });
  // Every writer also says the same of one granule that all of them share.
  await ledger.hear({ ...id, key: "shared" });
  await ledger.record({ ...id, key: "shared", state: "ready" });
  writeSync(1, `${id.key}\n`);
}
await ledger.close();
