/**
 * Appends to a store again and again, with an upkeep now and then, and tells how large the store and how long a commit gets.
 * By hand: `node test/writers/icechunk/many-commits.ts <folder> [commits] [commits between upkeeps] [arrays]`; the folder must be empty.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { IcechunkStore } from "../../../src/writers/icechunk/index.ts";
import { type GrowingStore, growth, openGrowing, publishChange } from "./growing-store.ts";

export interface Stretch {
  /** Commits so far. */
  readonly commits: number;
  /** Of a publication from its change to the swap, in this stretch. */
  readonly medianMs: number;
  /** Size of the store before its upkeep, and after it. */
  readonly beforeBytes: number;
  readonly afterBytes: number;
  readonly afterFiles: number;
  readonly upkeepMs: number;
  /** The one object that grows with each commit, the expired ones too. */
  readonly repositoryInfoBytes: number;
  /** To list all versions. */
  readonly listMs: number;
}

/** @param every commits between two upkeeps; the newest ten versions are kept. */
export async function* manyCommits(growing: GrowingStore, commits: number, every: number): AsyncGenerator<Stretch> {
  const store = await openGrowing(growing);
  for (let from = 0; from < commits; from += every) {
    const times: number[] = [];
    for (let at = from; at < Math.min(from + every, commits); at++) {
      const started = performance.now();
      await publishChange(store, growth(growing, at, at + 1), `step ${at}`);
      times.push(performance.now() - started);
    }
    times.sort((one, other) => one - other);
    yield {
      commits: Math.min(from + every, commits),
      medianMs: times[Math.floor(times.length / 2)] as number,
      ...(await upkeep(store)),
    };
  }
}

async function upkeep(store: IcechunkStore): Promise<Omit<Stretch, "commits" | "medianMs">> {
  const started = performance.now();
  const { before, removed } = await store.upkeep({ retain: { newest: 10 }, graceMs: 0 });
  const upkeepMs = performance.now() - started;
  const listing = performance.now();
  await store.versions(Number.POSITIVE_INFINITY);
  return {
    beforeBytes: before.bytes,
    afterBytes: before.bytes - removed.bytes,
    afterFiles: before.count - removed.count,
    upkeepMs,
    repositoryInfoBytes: (await stat(join(store.folder, "repo"))).size,
    listMs: performance.now() - listing,
  };
}

if (import.meta.main) {
  const [, , folder, commits = "10000", every = "500", arrays = "1"] = process.argv;
  if (folder === undefined) throw new Error("name an empty folder");
  const growing = { folder, prefix: "file:///nowhere/", arrays: Number(arrays), split: 1000 };
  const row = (...cells: readonly (string | number)[]): void =>
    console.log(cells.map((cell) => String(cell).padStart(11)).join(""));
  row("commits", "commit ms", "before MB", "after MB", "files", "repo KB", "upkeep ms", "list ms");
  for await (const stretch of manyCommits(growing, Number(commits), Number(every))) {
    const { beforeBytes, afterBytes, afterFiles, repositoryInfoBytes, upkeepMs, listMs } = stretch;
    const times = [upkeepMs, listMs].map((ms) => ms.toFixed(0));
    const sizes = [beforeBytes, afterBytes].map((bytes) => (bytes / 1e6).toFixed(2));
    row(stretch.commits, stretch.medianMs.toFixed(1), ...sizes, afterFiles, (repositoryInfoBytes / 1e3).toFixed(0), ...times);
  }
  process.exit();
}
