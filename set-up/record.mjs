import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { local } from "./places.mjs";

/** What set-up found, for the program to read: see docs/set-up.md. */
const recordFile = join(local, "set-up.json");

/**
 * Writes what was found. What this run did not look for is kept from the last record while its file is still there.
 *
 * @param {{ node: string, temporal?: object, python?: string, oraclePython?: string }} found
 */
export function writeRecord(found) {
  const record = { ...stillThere(readRecord()), ...found };
  const text = `${JSON.stringify(record, undefined, 2)}\n`;
  if (text === JSON.stringify(readRecord(), undefined, 2).concat("\n")) return;
  mkdirSync(local, { recursive: true });
  const staging = `${recordFile}.${process.pid}`;
  writeFileSync(staging, text);
  renameSync(staging, recordFile);
}

function readRecord() {
  try {
    return JSON.parse(readFileSync(recordFile, "utf8"));
  } catch {
    return {};
  }
}

function stillThere({ temporal, python, oraclePython }) {
  return {
    ...(temporal?.kind === "cli" && existsSync(temporal.path) && { temporal }),
    ...(python && existsSync(python) && { python }),
    ...(oraclePython && existsSync(oraclePython) && { oraclePython }),
  };
}
