import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { FreshetError } from "../../errors/index.ts";

/** The file by which a demo's folder is known: only a folder with it is ever emptied. */
const MARK = "freshet-demo.json";

/** Ports that a demo had; it takes the same ones again where they are free. */
export interface DemoPorts {
  readonly temporal: number;
  readonly ui: number;
  readonly agency: number;
  readonly webhook: number;
}

export interface DemoFolder {
  readonly path: string;
  /** True: an earlier demo's state is in it and goes on. */
  readonly isContinued: boolean;
  readonly ports: DemoPorts | undefined;
}

interface Mark {
  /** The demo that runs, or ran last. */
  readonly pid: number;
  readonly ports?: DemoPorts;
}

/**
 * Makes the demo's folder ready: a named one goes on where it was, the default one is made afresh.
 * @throws FreshetError `usage` when it holds something else or a demo runs in it, `storage` when it cannot be written.
 */
export async function openDemoFolder(options: { readonly path: string; readonly isFresh: boolean }): Promise<DemoFolder> {
  const path = resolve(options.path);
  try {
    const entries = await readdir(path).catch((error: NodeJS.ErrnoException): string[] => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    const mark = entries.includes(MARK) ? await readMark(path) : undefined;
    if (entries.length > 0 && mark === undefined) {
      throw new FreshetError("usage", "the folder is not a demo's, so it is left alone", {
        found: `${entries.slice(0, 3).join(", ")}${entries.length > 3 ? ", …" : ""}`,
        path,
        remedy: "Name an empty folder (--folder), or one that a demo has made",
      });
    }
    if (mark !== undefined && isRunning(mark.pid)) {
      throw new FreshetError("usage", "a demo is running in this folder", {
        found: `process ${mark.pid}`,
        path,
        remedy: "Stop it (Ctrl-C in its terminal), or name another folder (--folder)",
      });
    }
    if (options.isFresh && mark !== undefined) await rm(path, { recursive: true });
    await mkdir(path, { recursive: true });
    await writeMark(path, undefined);
    return { path, isContinued: !options.isFresh && mark !== undefined, ports: options.isFresh ? undefined : mark?.ports };
  } catch (error) {
    if (error instanceof FreshetError) throw error;
    const { message, code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new FreshetError("storage", "the demo's folder cannot be made", {
      found: message,
      path,
      remedy: "Name a folder that this user may write to (--folder)",
      cause: error,
    });
  }
}

/** Notes that this process runs a demo in the folder, on these ports. */
export async function writeMark(path: string, ports: DemoPorts | undefined): Promise<void> {
  await writeFile(join(path, MARK), markText(process.pid, ports));
}

/** Notes that no demo runs in the folder any more. */
export async function clearMark(path: string, ports: DemoPorts | undefined): Promise<void> {
  await writeFile(join(path, MARK), markText(0, ports));
}

async function readMark(path: string): Promise<Mark> {
  try {
    return JSON.parse(await readFile(join(path, MARK), "utf8")) as Mark;
  } catch (error) {
    if (error instanceof SyntaxError) return { pid: 0 };
    throw error;
  }
}

function markText(pid: number, ports: DemoPorts | undefined): string {
  const mark: Mark = { pid, ...(ports === undefined ? {} : { ports }) };
  return `${JSON.stringify(mark, undefined, 2)}\n`;
}

/** Process numbers are used again: at worst, a demo is taken for running that is not. */
function isRunning(pid: number): boolean {
  if (pid === process.pid || !(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
