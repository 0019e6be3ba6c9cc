// `reader.ts STORE PREFIX EXPECTATIONS STOP`: what reader.py does, with zarrita; prints one JSON object.
import { existsSync, readFileSync } from "node:fs";
import * as zarr from "zarrita";
import { IcechunkStore } from "../../src/writers/icechunk/index.ts";
import type { Expectation } from "./publishing.ts";

const [folder = "", prefix = "", expectationsPath = "", stopPath = ""] = process.argv.slice(2);
const expected = new Map<number, Expectation>();

/** The lines are only ever appended to, and the one of a version is there before the version is. */
function expectation(sequence: number): Expectation | undefined {
  if (!expected.has(sequence)) {
    for (const line of readFileSync(expectationsPath, "utf8").split("\n").slice(0, -1)) {
      const one = JSON.parse(line) as Expectation;
      expected.set(one.sequence, one);
    }
  }
  return expected.get(sequence);
}

async function numbers(root: zarr.Location<zarr.AsyncReadable>, path: string): Promise<number[]> {
  const { data } = await zarr.get(await zarr.open(root.resolve(path), { kind: "array" }));
  return Array.from(data as Iterable<number>);
}

/** Answers the sequence, or what is wrong with it. */
async function look(store: IcechunkStore, version: string): Promise<number | string> {
  const root = zarr.root((await store.reader(version)) as unknown as zarr.AsyncReadable);
  const state = await zarr.open(root.resolve("_freshet"), { kind: "group" });
  const { sequence } = state.attrs.freshet as { sequence: number };
  const wanted = expectation(sequence);
  if (wanted === undefined) return `#${sequence}: a version that nobody announced`;
  const times = await numbers(root, "time");
  if (times.join() !== wanted.times.join()) return `#${sequence}: times ${times}`;
  const values = await numbers(root, "sst");
  const full = wanted.values.flatMap((value) => [value, value, value, value, value, value]);
  if (values.join() !== full.join()) return `#${sequence}: values ${values}, expected ${full}`;
  return sequence;
}

const seen = new Set<number>();
const wrong: string[] = [];
let rounds = 0;
while (!existsSync(stopPath)) {
  rounds++;
  try {
    const store = await IcechunkStore.open({ folder, prefixes: [prefix], split: { dimension: "time", chunks: 4 } });
    const versions = (await store?.versions(1000)) ?? [];
    const newest = await store?.head();
    const chosen = rounds % 4 === 0 ? versions[Math.floor(Math.random() * versions.length)]?.id : newest;
    if (store === undefined || chosen === undefined || versions.length === 0) continue;
    const found = await look(store, chosen);
    if (typeof found === "string") wrong.push(found);
    else seen.add(found);
  } catch (error) {
    wrong.push(String(error).slice(0, 500));
  }
}
console.log(JSON.stringify({ rounds, versions: seen.size, wrong: wrong.slice(0, 5) }));
process.exit(0);
