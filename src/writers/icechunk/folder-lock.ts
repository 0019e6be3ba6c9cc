import { readFileSync } from "node:fs";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { FreshetError } from "../../errors/index.ts";

/** A lock of another host, or one without an owner in it, is taken for dead after this long. */
const FOREIGN_LOCK_DEAD_MS = 30_000;
const GIVE_UP_MS = 60_000;

/**
 * Mutual exclusion between processes by a file that only one can create. It holds `host pid start`, the last being when the
 * process began, because a container that is started again gives the same pid to another one. A lock whose process is gone is
 * removed, and only by whoever holds a second such file and has looked again, so that two who find the same dead lock
 * cannot both remove it (the second would remove the first one's new lock).
 */
export class FolderLock {
  readonly #path: string;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** Runs `work` while holding the lock. Callers of one process are served in order. */
  hold<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(async () => {
      await this.#acquire();
      try {
        return await work();
      } finally {
        await rm(this.#path, { force: true });
      }
    });
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  /** Removes what processes left that died while they broke a lock. Only for whoever holds this one. */
  async removeRemains(): Promise<void> {
    await rm(`${this.#path}.dead`, { force: true });
    const breaker = `${this.#path}.breaking`;
    if (await isDead(breaker)) await rm(breaker, { force: true });
  }

  async #acquire(): Promise<void> {
    const started = Date.now();
    for (let wait = 1; ; wait = Math.min(wait * 2, 20)) {
      if (await createExclusively(this.#path)) return;
      await this.#removeIfDead();
      if (Date.now() - started > GIVE_UP_MS) {
        throw new FreshetError("storage", "the store's lock stays taken", {
          found: (await ownerOf(this.#path)) ?? "an owner that comes and goes",
          uri: this.#path,
          remedy: "See whether that process hangs; if it is gone for good, remove the file",
        });
      }
      await sleep(wait + Math.random() * wait);
    }
  }

  async #removeIfDead(): Promise<void> {
    if (!(await isDead(this.#path))) return;
    const breaker = `${this.#path}.breaking`;
    if (!(await createExclusively(breaker))) {
      if (await isDead(breaker)) await rm(breaker, { force: true });
      return;
    }
    try {
      if (!(await isDead(this.#path))) return;
      const aside = `${this.#path}.dead`;
      await rename(this.#path, aside).then(
        () => rm(aside, { force: true }),
        () => undefined,
      );
    } finally {
      await rm(breaker, { force: true });
    }
  }
}

async function createExclusively(path: string): Promise<boolean> {
  try {
    const file = await open(path, "wx");
    try {
      await file.writeFile(`${hostname()} ${process.pid} ${startOf(process.pid) ?? "-"}`);
    } catch (error) {
      // On a full disk: a lock without an owner in it would keep everybody waiting.
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function ownerOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

async function isDead(path: string): Promise<boolean> {
  const owner = await ownerOf(path);
  if (owner === undefined) return false;
  const [host, pid, start] = owner.split(" ");
  if (host === hostname() && pid !== undefined && /^\d+$/.test(pid)) return !isRunning(Number(pid), start);
  const age = await stat(path).then(
    (facts) => Date.now() - facts.mtimeMs,
    () => 0,
  );
  return age > FOREIGN_LOCK_DEAD_MS;
}

/** True for a process of this pid that began at `start`, where both sides know when. */
function isRunning(pid: number, start: string | undefined): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const now = startOf(pid);
  return now === undefined || start === undefined || start === "-" || now === start;
}

/** When a process began, in the kernel's ticks since it booted (proc_pid_stat(5), field 22); undefined where there is no /proc. */
function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The second field is the program's name in parentheses, and may hold anything.
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
