// `npm run fuzz -- [FOLDER…]`: damages real files and scans them. Fails where a scan ends in anything but an answer or an error of ours, takes
// more time or memory than it may, or reads other values than libhdf5 does from a file that it can still read.
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { Command } from "commander";
import { mutate } from "../test/formats/fuzz/mutate.ts";
import { Random } from "../test/formats/fuzz/random.ts";
import { type Case, STAGE, type Verdict } from "./fuzz-worker.ts";

const project = fileURLToPath(new URL("..", import.meta.url));

interface Options {
  readonly seed: string;
  readonly files: string;
  readonly seconds: string;
  readonly largest: string;
  readonly limitSeconds: string;
  readonly limitMb: string;
  readonly keep: string;
  readonly compare: boolean;
}

/** Scans that are worth a look, though within the limit. */
const SLOW_MS = 2000;

/** A thread that judges one case at a time, is watched while it does, and is replaced when it does not come back. */
class Judge {
  readonly #options: Options;
  #stage = new Int32Array(new SharedArrayBuffer(4));
  #worker: Worker | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  async judge(one: Case): Promise<Verdict> {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const limitMs = 1000 * Number(this.#options.limitSeconds);
    const limitBytes = 2 ** 20 * Number(this.#options.limitMb);
    const before = process.memoryUsage().rss;
    const started = performance.now();
    return await new Promise<Verdict>((done) => {
      const finish = (verdict: Verdict, isUsable: boolean): void => {
        clearInterval(watch);
        for (const event of ["message", "error", "exit"]) worker.removeAllListeners(event);
        if (!isUsable) {
          this.#worker = undefined;
          void worker.terminate();
        }
        done(verdict);
      };
      // In libhdf5 anything may happen: that is its own affair, and ends the comparison.
      const lost = (finding: string): void => {
        const findings = Atomics.load(this.#stage, 0) === STAGE.witness ? [] : [finding];
        finish({ scanned: false, equal: 0, findings, scanMs: performance.now() - started }, false);
      };
      const watch = setInterval(() => {
        const isOurs = Atomics.load(this.#stage, 0) !== STAGE.witness;
        const grown = process.memoryUsage().rss - before;
        if (isOurs && grown > limitBytes) lost(`${grown} bytes of memory, more than the limit`);
        if (performance.now() - started > limitMs) lost(`more than ${limitMs} ms`);
      }, 20);
      worker.on("message", (verdict: Verdict) => finish(verdict, true));
      worker.on("error", (error) => lost(`the thread failed: ${error.stack ?? error.message}`));
      worker.on("exit", (code) => lost(`the thread ended with ${code}`));
      worker.postMessage(one);
    });
  }

  async end(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    this.#stage = new Int32Array(new SharedArrayBuffer(4));
    const workerData = { stage: this.#stage, compare: this.#options.compare };
    // What libhdf5 prints about damaged files is no finding.
    const worker = new Worker(new URL("fuzz-worker.ts", import.meta.url), { workerData, stdout: true, stderr: true });
    worker.stdout.resume();
    worker.stderr.resume();
    return worker;
  }
}

async function filesUnder(folders: readonly string[], largest: number): Promise<string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && (await stat(path)).size <= largest && (await isScanned(path))) found.push(path);
    }
  }
  return found.sort();
}

async function isScanned(path: string): Promise<boolean> {
  const bytes = await readFile(path);
  return bytes.subarray(0, 3).equals(Buffer.from("CDF")) || bytes.subarray(0, 4).equals(Buffer.from("\x89HDF", "latin1"));
}

async function fuzz(folders: readonly string[], options: Options): Promise<number> {
  const paths = await filesUnder(
    folders.length === 0 ? [join(project, "test")] : folders.map((folder) => resolve(folder)),
    Number(options.largest),
  );
  const sources = await Promise.all(paths.map(async (path) => new Uint8Array(await readFile(path))));
  const seed = Number(options.seed);
  console.log(`${paths.length} files to damage, seed ${seed}`);
  const judge = new Judge(options);
  const until = performance.now() + 1000 * Number(options.seconds);
  const totals = { cases: 0, scanned: 0, equal: 0, findings: 0, slowestMs: 0 };
  // What differs undamaged, says nothing about damage: numbers that libhdf5 converts, filters that h5wasm lacks.
  const known: ReadonlySet<string>[] = [];
  for (const bytes of sources) known.push(new Set((await judge.judge({ bytes, seed: undefined })).findings));
  const random = new Random(seed);
  while (totals.cases < Number(options.files) && performance.now() < until) {
    const index = random.below(sources.length);
    const one: Case = { bytes: sources[index] as Uint8Array, seed: random.below(2 ** 32) };
    const verdict = await judge.judge(one);
    totals.cases++;
    totals.scanned += verdict.scanned ? 1 : 0;
    totals.equal += verdict.equal;
    totals.slowestMs = Math.max(totals.slowestMs, verdict.scanMs);
    const findings = verdict.findings.filter((finding) => known[index]?.has(finding) !== true);
    if (verdict.scanMs > SLOW_MS) console.log(`slow: seed ${one.seed} of ${paths[index]}: ${Math.round(verdict.scanMs)} ms`);
    if (findings.length === 0) continue;
    totals.findings++;
    const kept = join(options.keep, `${one.seed}-${basename(paths[index] as string)}`);
    await mkdir(options.keep, { recursive: true });
    await writeFile(kept, mutate(one.bytes, new Random(one.seed as number)));
    console.log(`${kept}\n  ${findings.join("\n  ")}`);
  }
  await judge.end();
  console.log(
    `${totals.cases} damaged files: ${totals.scanned} scanned, the others refused; ${totals.equal} variables as libhdf5 reads them; slowest scan ${Math.round(totals.slowestMs)} ms; ${totals.findings} findings`,
  );
  return totals.findings === 0 ? 0 : 1;
}

const program = new Command("npm run fuzz --")
  .argument("[folder...]", "folders of files to damage (default: the project's test data)")
  .option("--seed <number>", "the same seed damages the same files in the same way", `${Date.now() % 1_000_000}`)
  .option("--files <count>", "end after so many damaged files", "100000")
  .option("--seconds <count>", "end after so long", "3600")
  .option("--largest <bytes>", "damage only files up to this size", "200000")
  .option("--limit-seconds <count>", "most time for one file", "30")
  .option("--limit-mb <count>", "most memory for one file", "512")
  .option("--keep <folder>", "where damaged files with findings are put", join(project, ".freshet/fuzz"))
  .option("--no-compare", "do not compare with libhdf5");

program.action(async (folders: string[], options: Options) => {
  process.exitCode = await fuzz(folders, options);
});
await program.parseAsync();
