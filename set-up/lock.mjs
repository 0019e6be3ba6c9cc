import { mkdirSync, readFileSync, rmdirSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { say } from "./report.mjs";

const POLL_MS = 250;
/** Breaking a stale lock takes milliseconds: a breaker's mark older than this was left by a crash. */
const BREAKER_MAX_AGE_MS = 10_000;

const held = new Set();

/**
 * Runs `work` while holding the lock file `path`. Another set-up that holds it is waited for; a lock whose process is gone is
 * taken over.
 *
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(path, work) {
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  while (!take(path)) {
    const holder = read(path);
    if (holder !== undefined && !isAlive(holder)) breakLock(path);
    else {
      if (!told && holder !== undefined)
        say(`another set-up (process ${holder.pid}) is at work on ${dirname(path)}, waiting for it`);
      told ||= holder !== undefined;
      await pause(POLL_MS);
    }
  }
  try {
    return await work();
  } finally {
    release(path);
  }
}

/** Releases every lock that this process holds. */
export function releaseAll() {
  for (const path of [...held]) release(path);
}

function take(path) {
  try {
    writeFileSync(path, JSON.stringify({ pid: process.pid, started: startTime(process.pid) }), { flag: "wx" });
    held.add(path);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function release(path) {
  held.delete(path);
  try {
    unlinkSync(path);
  } catch {
    // It went with its folder.
  }
}

/** Who holds the lock; undefined when it has just been released or is being written. */
function read(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    const age = ageMs(path);
    return age !== undefined && age > BREAKER_MAX_AGE_MS ? { pid: 0, started: "" } : undefined;
  }
}

function isAlive({ pid, started }) {
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
  const now = startTime(pid);
  return now === "" || started === "" || now === started;
}

/** The start of a process in clock ticks, which tells two processes with one number apart; "" where the system does not say. */
function startTime(pid) {
  try {
    return (
      readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ")[19] ?? ""
    );
  } catch {
    return "";
  }
}

/** Removes a stale lock. Only one process at a time may, or a second one would remove the first one's new lock. */
function breakLock(path) {
  const breaker = `${path}.breaking`;
  try {
    mkdirSync(breaker);
  } catch {
    const age = ageMs(breaker);
    if (age !== undefined && age > BREAKER_MAX_AGE_MS) rmdirSync(breaker);
    return;
  }
  const holder = read(path);
  if (holder !== undefined && !isAlive(holder)) unlinkSync(path);
  rmdirSync(breaker);
}

function ageMs(path) {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return undefined;
  }
}
