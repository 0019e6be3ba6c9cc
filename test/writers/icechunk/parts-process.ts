/** Publishes in five parts, and kills itself after a number of them; 0 for never. Arguments: folder, parts. */
import { onStep } from "../../../src/steps/index.ts";
import { storeIn } from "./a-store.ts";
import { oneByOne, rowsChange } from "./made-changes.ts";

const [, , folder, parts] = process.argv as [string, string, string, string];
const store = await storeIn(folder);
let flushed = 0;
onStep((step) => {
  if (step === "publish: part flushed" && ++flushed === Number(parts)) process.kill(process.pid, "SIGKILL");
});
const parent = await store.head();
const changes = Array.from({ length: 5 }, (_, index) => rowsChange(index, index + 1));
await store.publish(parent, await store.stage(parent, oneByOne(changes), "five parts"));
process.exit();
