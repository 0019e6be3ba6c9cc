import { Worker } from "node:worker_threads";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";

/** What the thread is asked. */
export interface ReaderQuestion {
  readonly id: number;
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** What it answers: rows, or what went wrong. */
export type ReaderAnswer =
  | { readonly id: number; readonly rows: readonly unknown[] }
  | { readonly id: number; readonly message: string; readonly errcode: number | undefined };

const TIMEOUT_MS = 10_000;

/**
 * A dialect for questions that may take long: SQLite is called synchronously, so they run in a thread, which has a connection
 * of its own and sees what is committed. The thread starts with the first question.
 */
export function readerDialect(path: string): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new ReaderDriver(path),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class ReaderDriver implements Driver {
  readonly #thread: ReaderThread;

  constructor(path: string) {
    this.#thread = new ReaderThread(path);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return {
      executeQuery: async <Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> => ({
        rows: (await this.#thread.ask(sql, parameters)) as Row[],
      }),
      streamQuery: noTransactions,
    };
  }

  async beginTransaction(): Promise<void> {
    noTransactions();
  }
  async commitTransaction(): Promise<void> {
    noTransactions();
  }
  async rollbackTransaction(): Promise<void> {
    noTransactions();
  }
  async releaseConnection(): Promise<void> {}

  destroy(): Promise<void> {
    return this.#thread.end();
  }
}

function noTransactions(): never {
  throw new Error("the reading connection answers single questions only");
}

interface Waiting {
  readonly resolve: (rows: readonly unknown[]) => void;
  readonly reject: (error: Error) => void;
}

/** The thread, started anew where it has ended. */
class ReaderThread {
  readonly #path: string;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #asked = 0;

  constructor(path: string) {
    this.#path = path;
  }

  ask(sql: string, parameters: readonly unknown[]): Promise<readonly unknown[]> {
    const worker = this.#running();
    const question: ReaderQuestion = { id: ++this.#asked, sql, parameters };
    return new Promise((resolve, reject) => {
      this.#waiting.set(question.id, { resolve, reject });
      // Only a thread that owes an answer keeps the process alive.
      worker.ref();
      worker.postMessage(question);
    });
  }

  async end(): Promise<void> {
    await this.#worker?.terminate();
  }

  #running(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(new URL("./sqlite-reader-thread.ts", import.meta.url), {
      workerData: { path: this.#path, timeoutMs: TIMEOUT_MS },
    });
    worker.on("message", (answer: ReaderAnswer) => this.#take(answer));
    worker.on("error", (error) => this.#giveUp(error as Error));
    worker.on("exit", () => {
      this.#worker = undefined;
      this.#giveUp(new Error("the ledger's reading thread has ended"));
    });
    this.#worker = worker;
    return worker;
  }

  #take(answer: ReaderAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) this.#worker?.unref();
    if ("rows" in answer) waiting?.resolve(answer.rows);
    else waiting?.reject(Object.assign(new Error(answer.message), { errcode: answer.errcode }));
  }

  #giveUp(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
