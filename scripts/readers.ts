// `npm run readers -- [--publications 300]`: a Python and a Node process read along while versions are published; see test/readers.
import { parseArgs } from "node:util";
import { readAlong } from "../test/readers/reading-along.ts";

const { values } = parseArgs({ options: { publications: { type: "string", default: "300" } } });
const started = Date.now();
const { python, node, kinds } = await readAlong(Number(values.publications), (done) => {
  if (done % 50 === 0) console.error(`${done} published, ${((Date.now() - started) / 1000).toFixed(0)} s`);
});
console.log(JSON.stringify({ published: Object.fromEntries(kinds), python, node }, undefined, 2));
process.exit(python.wrong.length + node.wrong.length === 0 && python.rounds > 0 && node.rounds > 0 ? 0 : 1);
