import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { copyOnce } from "./copy-once.ts";
import { round } from "./figures.ts";

const run = promisify(execFile);
const SIZES = [
  { what: "200 files of 1 MB", count: 200, bytes: 1_000_000 },
  { what: "1 file of 1 GB", count: 1, bytes: 1_000_000_000 },
] as const;
/** As many as a host's default limits let be copied at once. */
const AT_ONCE = 12;
const TURNS = 5;

/** Copies into the mirror beside curl, in turn, from one local server; then the memory of a process while so many downloads wait. */
export async function download(waiting: readonly number[], say: (line: string) => void) {
  const root = await mkdtemp(join(tmpdir(), "freshet-bench-download-"));
  try {
    return [...(await throughput(root, say)), ...(await memory(root, waiting, say))];
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function throughput(root: string, say: (line: string) => void) {
  const rows: Record<string, string | number>[] = [];
  for (const { what, count, bytes } of SIZES) {
    const files = join(root, "files");
    await mkdir(files);
    const content = Buffer.alloc(bytes, "a granule of no format ");
    for (let index = 0; index < count; index++) await writeFile(join(files, `file-${index}.nc`), content);
    await run("sync", ["-f", files]);
    const server = await startServer(files);
    const ways: Record<string, (folder: string) => Promise<unknown>> = {
      freshet: (folder) => withFreshet(server.origin, folder, count),
      "curl, then sync": async (folder) => {
        await withCurl(server.origin, folder, count);
        await run("sync", ["-f", folder]);
      },
      curl: (folder) => withCurl(server.origin, folder, count),
    };
    const seconds = new Map<string, number[]>();
    for (let turn = 0; turn < TURNS; turn++) {
      for (const [way, copy] of Object.entries(ways)) {
        const folder = join(root, "copies");
        await mkdir(folder);
        const started = performance.now();
        await copy(folder);
        const took = (performance.now() - started) / 1000;
        seconds.set(way, [...(seconds.get(way) ?? []), took]);
        say(`${what}, ${way}: ${took.toFixed(2)} s`);
        await rm(folder, { recursive: true });
        await run("sync", ["-f", root]);
      }
    }
    const median = (way: string): number => (seconds.get(way) ?? []).sort((a, b) => a - b)[Math.floor(TURNS / 2)] ?? Number.NaN;
    for (const way of Object.keys(ways)) {
      rows.push({
        what,
        way,
        "MB/s": Math.round((count * bytes) / 1e6 / median(way)),
        "times curl": round((10 * median("curl")) / median(way)) / 10,
      });
    }
    server.stop();
    await rm(files, { recursive: true });
  }
  return rows;
}

async function withFreshet(origin: string, folder: string, count: number): Promise<void> {
  const waiting = Array.from({ length: count }, (_, index) => index);
  const mirror = `${pathToFileURL(folder).href}/`;
  const copy = async (): Promise<void> => {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift())
      await copyOnce(`${origin}/file-${index}.nc`, mirror, `key-${index}`, new AbortController().signal);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, copy));
}

async function withCurl(origin: string, folder: string, count: number): Promise<void> {
  const urls = `${origin}/file-[0-${count - 1}].nc`;
  await run("curl", ["-sS", "--fail", "--parallel", "--parallel-max", `${AT_ONCE}`, urls, "-o", join(folder, "file-#1.nc")]);
}

async function memory(root: string, waiting: readonly number[], say: (line: string) => void) {
  const rows: Record<string, string | number>[] = [];
  const program = fileURLToPath(new URL("./waiting-process.ts", import.meta.url));
  for (const count of waiting) {
    const server = await startServer(root, "hang");
    const mirror = join(root, `mirror-${count}`);
    await mkdir(mirror);
    const { stdout } = await run(process.execPath, ["--expose-gc", program, server.origin, mirror, String(count)]);
    server.stop();
    say(`${count} downloads: ${stdout.trim()}`);
    rows.push({ what: `${count} downloads wait`, ...(JSON.parse(stdout) as Record<string, number>) });
  }
  return rows;
}

async function startServer(folder: string, mode = ""): Promise<{ readonly origin: string; stop(): void }> {
  const program = fileURLToPath(new URL("./file-server.ts", import.meta.url));
  const child = spawn(process.execPath, [program, folder, mode], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const port of createInterface({ input: child.stdout }))
    return { origin: `http://127.0.0.1:${port}`, stop: () => child.kill() };
  throw new Error("the server did not start");
}
