// A thread with a connection of its own, which only reads: it runs the statements that `sqlite-reader.ts` sends.
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import type { ReaderAnswer, ReaderQuestion } from "./sqlite-reader.ts";

const { path, timeoutMs } = workerData as { readonly path: string; readonly timeoutMs: number };
const database = new DatabaseSync(path, { readOnly: true, timeout: timeoutMs });

parentPort?.on("message", ({ id, sql, parameters }: ReaderQuestion) => {
  let answer: ReaderAnswer;
  try {
    answer = { id, rows: database.prepare(sql).all(...(parameters as SQLInputValue[])) };
  } catch (error) {
    // An error loses its own members on the way between threads.
    const { message, errcode } = error as Error & { readonly errcode?: number };
    answer = { id, message, errcode };
  }
  parentPort?.postMessage(answer);
});
