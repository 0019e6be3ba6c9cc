import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { FreshetError, isFreshetError } from "../errors/index.ts";
import {
  BACKUP_FORMAT,
  BACKUP_VERSION,
  type BackupEnd,
  type BackupHeader,
  type BackupLine,
  type BackupTable,
  type BackupValue,
} from "./backup-format.ts";

/** A dataset file's text or an event's detail makes the longest ones; no line of ours is near this. */
const LONGEST_LINE = 32 * 1024 * 1024;

/** Characters of a wrong line that are shown. */
const QUOTED = 40;

/** Rows of one table, some at a time. */
export interface BackupRows extends BackupTable {
  readonly rows: readonly (readonly BackupValue[])[];
}

/** Where a reader of a backup is told what comes. */
export interface BackupSink {
  header(header: BackupHeader): Promise<void>;
  rows(rows: BackupRows): Promise<void>;
}

/**
 * Reads a backup from its beginning to its end, in bounded memory, and answers what it is and how many rows it holds. Only when this resolves is
 * it known that the file is whole: what the sink was told before is to be kept back until then.
 * @param pageRows rows that the sink is given at most at once.
 * @throws FreshetError `usage` when there is no such file, or it is no backup; `unsupported` for one of a newer Freshet;
 *   `truncated` when it ends too soon; `corrupt` when it is not what was written.
 */
export async function readBackup(
  path: string,
  pageRows: number,
  sink: BackupSink,
): Promise<{ readonly header: BackupHeader; readonly rows: number }> {
  const hash = createHash("sha256");
  let header: BackupHeader | undefined;
  let table: BackupTable | undefined;
  let page: (readonly BackupValue[])[] = [];
  let rows = 0;
  let end: BackupEnd["end"] | undefined;
  const flush = async (): Promise<void> => {
    if (table !== undefined && page.length > 0) await sink.rows({ ...table, rows: page });
    page = [];
  };
  for await (const text of linesOf(path)) {
    if (end !== undefined) throw damaged(path, "something after the closing line");
    const line = lineOf(text, path);
    if (header === undefined) {
      header = headerOf(line, path);
      await sink.header(header);
    } else if (isRow(line)) {
      if (table === undefined || line.length !== table.columns.length || !line.every(isValue))
        throw damaged(path, text.slice(0, QUOTED));
      rows++;
      page.push(line);
      if (page.length >= pageRows) await flush();
    } else if (isTable(line)) {
      await flush();
      table = line;
    } else if ("end" in line && typeof line.end === "object") {
      await flush();
      end = line.end;
    } else throw damaged(path, text.slice(0, QUOTED));
    if (end === undefined) hash.update(text).update("\n");
  }
  if (header === undefined) throw notABackup(path, "nothing in it");
  if (end === undefined) throw truncated(path, `no closing line after ${rows} rows`);
  checkEnd(end, rows, hash, path);
  return { header, rows };
}

function checkEnd(end: BackupEnd["end"], rows: number, hash: Hash, path: string): void {
  const sha256 = hash.digest("hex");
  if (end.rows === rows && end.sha256 === sha256) return;
  throw new FreshetError("corrupt", "the backup is damaged", {
    found: `${rows} rows, sha256 ${sha256}`,
    expected: `${end.rows} rows, sha256 ${end.sha256}`,
    path,
    remedy: OTHER_BACKUP,
  });
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const gunzip = createGunzip();
  const file = createReadStream(path);
  file.on("error", (error) => gunzip.destroy(error));
  let rest = "";
  try {
    for await (const piece of file.pipe(gunzip).setEncoding("utf8") as AsyncIterable<string>) {
      const lines = (rest + piece).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > LONGEST_LINE) throw damaged(path, `a line of more than ${LONGEST_LINE} characters`);
      yield* lines;
    }
  } catch (error) {
    throw isFreshetError(error) ? error : readError(error, path);
  } finally {
    file.destroy();
  }
  if (rest !== "") throw truncated(path, "a line without an end");
}

function lineOf(text: string, path: string): BackupLine {
  try {
    const line: unknown = JSON.parse(text);
    if (typeof line === "object" && line !== null) return line as BackupLine;
  } catch {
    // Said below.
  }
  throw damaged(path, text.slice(0, QUOTED));
}

function isRow(line: BackupLine): line is readonly BackupValue[] {
  return Array.isArray(line);
}

function isValue(value: unknown): value is BackupValue {
  return value === null || typeof value === "string" || Number.isSafeInteger(value);
}

function isTable(line: Exclude<BackupLine, readonly BackupValue[]>): line is BackupTable {
  return "table" in line && Array.isArray(line.columns) && line.columns.every((column) => typeof column === "string");
}

function headerOf(line: BackupLine, path: string): BackupHeader {
  if (isRow(line) || !("format" in line) || line.format !== BACKUP_FORMAT) throw notABackup(path, "another first line");
  if (line.version === BACKUP_VERSION && Number.isSafeInteger(line.schema)) return line;
  throw new FreshetError("unsupported", "the backup was written by a newer Freshet", {
    found: `format version ${line.version}`,
    expected: `format version ${BACKUP_VERSION}`,
    path,
    remedy: "Use the Freshet that wrote it, or a newer one.",
  });
}

export const OTHER_BACKUP = "Use another backup; the ledger is as it was.";

function damaged(path: string, found: string): FreshetError {
  return new FreshetError("corrupt", "the backup is damaged", { found, path, remedy: OTHER_BACKUP });
}

function truncated(path: string, found: string): FreshetError {
  return new FreshetError("truncated", "the backup ends too soon", { found, path, remedy: OTHER_BACKUP });
}

function notABackup(path: string, found: string): FreshetError {
  return new FreshetError("usage", "the file is no backup of a ledger", {
    found,
    path,
    remedy: "Name a file that freshet ledger backup has written.",
  });
}

function readError(error: unknown, path: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "Z_BUF_ERROR") return truncated(path, "the compressed data end");
  if (code === "Z_DATA_ERROR") {
    return (error as Error).message === "incorrect header check"
      ? notABackup(path, "not gzip")
      : damaged(path, (error as Error).message);
  }
  if (code === "ENOENT") return notABackup(path, "no such file");
  if (typeof code !== "string") return error;
  return new FreshetError("storage", "the backup cannot be read", { found: (error as Error).message, path, cause: error });
}
