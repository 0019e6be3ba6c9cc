// `npm run crashes -- [TRIAL…]`: workers and servers die at every named step of a dataset's story, sleep and wake beside their successors,
// and work side by side; the end has to be that of the undisturbed story. Prints what was done and what came of it.
import { STEPS } from "../src/steps/index.ts";
import { TRIALS, type Trial } from "../test/crashes/trials.ts";

const names = Object.keys(TRIALS);
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in TRIALS));
if (unknown.length > 0) {
  console.error(`crashes: there is no trial ${unknown.join(", ")}; there are ${names.join(", ")}`);
  process.exit(2);
}

const hit = new Set<string>();
let failures = 0;
for (const name of asked.length === 0 ? names : asked) {
  const started = Date.now();
  const took = (): string => `${Math.round((Date.now() - started) / 1000)} s`;
  const { missing, run } = TRIALS[name] as Trial;
  const why = missing();
  if (why !== false) {
    console.log(`skipped ${name}: ${why}`);
    continue;
  }
  try {
    const { hits, summary } = await run();
    for (const { step, mishap, act, time } of hits) {
      hit.add(step);
      const which = time === undefined ? step : `${step}, time ${time}`;
      console.log(`  ${name.padEnd(9)} ${which.padEnd(34)} ${mishap.padEnd(14)} ${act}`);
    }
    console.log(`ok ${name}: ${summary} (${took()})`);
  } catch (error) {
    failures++;
    console.log(`FAILED ${name} (${took()}): ${error instanceof Error ? (error.stack ?? error.message) : error}`);
  }
}
const left = STEPS.filter((step) => !hit.has(step));
if (asked.length === 0) {
  console.log(left.length === 0 ? `all ${STEPS.length} steps were hit` : `NOT HIT: ${left.join("; ")}`);
  if (left.length > 0) failures++;
}
process.exit(failures === 0 ? 0 : 1);
