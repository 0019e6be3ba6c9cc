// `npm run model -- [--forecast] [--count N] [--seconds S] [--seed N]`: random lives of a dataset, or of a forecast's views (some of them
// through a real ledger and store too), against a model; see test/model.
import { parseArgs } from "node:util";
import { findDisagreement, STORED_ONE_IN } from "../test/model/forecast/property.ts";
import { describe, playSeed } from "../test/model/property.ts";

const { values } = parseArgs({
  options: {
    forecast: { type: "boolean", default: false },
    count: { type: "string" },
    seconds: { type: "string", default: "3600" },
    seed: { type: "string" },
    from: { type: "string", default: String(Date.now() % 1_000_000_000) },
    failures: { type: "string", default: "1" },
  },
});

const count = values.seed === undefined ? Number(values.count ?? (values.forecast ? 2000 : 1000)) : 1;
const from = Number(values.seed ?? values.from);
const started = Date.now();
const tally = new Map<string, number>();
let played = 0;
let failures = 0;
const progress = setInterval(() => console.error(`${played} of ${count} sequences, ${failures} disagreements`), 10_000);
for (; played < count && failures < Number(values.failures); played++) {
  if (Date.now() - started > Number(values.seconds) * 1000) break;
  const found = values.forecast ? await forecastOf(from + played) : await describedLife(from + played);
  if (found !== undefined) {
    failures++;
    console.error(found);
  }
}
clearInterval(progress);
const seconds = (Date.now() - started) / 1000;
console.log(
  [...tally]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, times]) => `${String(times).padStart(8)}  ${what}`)
    .join("\n"),
);
console.log(
  `seeds ${from} to ${from + played - 1}: ${played} sequences in ${seconds.toFixed(1)} s, ${((seconds * 1000) / played).toFixed(0)} ms each; ${failures} disagreements`,
);
process.exit(failures === 0 && played > 0 ? 0 : 1);

/** A seed that is named is played in both ways. */
async function forecastOf(seed: number): Promise<string | undefined> {
  const found = await findDisagreement(seed, tally);
  const isStored = values.seed !== undefined || seed % STORED_ONE_IN === 0;
  return found ?? (isStored ? findDisagreement(seed, tally, true) : undefined);
}

async function describedLife(seed: number): Promise<string | undefined> {
  const found = await playSeed(seed, tally);
  return found && describe(found);
}
