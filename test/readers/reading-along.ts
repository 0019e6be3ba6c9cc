import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { PYTHON } from "../support/python.ts";
import { Publishing } from "./publishing.ts";

/** What a reader has seen. */
export interface Seen {
  readonly rounds: number;
  /** Different versions. */
  readonly versions: number;
  readonly wrong: readonly string[];
}

/** Publishes so often, while a Python process and a Node process read along. Answers what they saw, and what was published. */
export async function readAlong(
  publications: number,
  tick: (done: number) => void = () => undefined,
): Promise<{ readonly python: Seen; readonly node: Seen; readonly kinds: ReadonlyMap<string, number> }> {
  const folder = await mkdtemp(join(tmpdir(), "freshet-readers-"));
  const expectations = join(folder, "expectations.jsonl");
  const stop = join(folder, "stop");
  const publishing = await Publishing.start(expectations);
  try {
    await publishing.next();
    const store = join(publishing.system.folder, "store");
    const prefix = pathToFileURL(join(publishing.system.folder, "mirror")).href.concat("/");
    const readers = Promise.all([
      runReader(PYTHON as string, new URL("./reader.py", import.meta.url), [store, expectations, stop]),
      runReader(process.execPath, new URL("./reader.ts", import.meta.url), [store, prefix, expectations, stop]),
    ]);
    // Awaited below; one that ends early must not end the process.
    readers.catch(() => undefined);
    for (let done = 1; done < publications; done++) {
      await publishing.next();
      tick(done + 1);
    }
    await writeFile(stop, "");
    const [python, node] = await readers;
    return { python, node, kinds: publishing.kinds };
  } finally {
    await writeFile(stop, "");
    await publishing.system.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function runReader(program: string, script: URL, parameters: readonly string[]): Promise<Seen> {
  const { stdout } = await promisify(execFile)(program, [fileURLToPath(script), ...parameters], { maxBuffer: 1 << 24 });
  return JSON.parse(stdout) as Seen;
}
