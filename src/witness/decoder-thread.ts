import { Worker } from "node:worker_threads";
import type { Answer, FromThread, Job, ThreadFacts } from "./thread/messages.ts";

/** Reads one range of the source that a job is about; undefined: the decoder does not get it. */
export type Read = (offset: number, length: number, signal?: AbortSignal) => Promise<Uint8Array | undefined>;

export interface DecoderThreadOptions {
  /** What the thread runs; default: the decoders. */
  readonly program?: URL;
  /** A thread that decodes for longer without a word is ended. The time that reads take does not count. Default 20 s. */
  readonly silenceMs?: number;
  /** A job that takes longer in all is ended. Default 2 minutes. */
  readonly jobMs?: number;
}

/** Beside TypeScript files lie TypeScript files, and beside built ones built ones. */
const PROGRAM = new URL(
  new URL("./thread/main.ts", import.meta.url).href.replace(/\.ts$/, import.meta.url.endsWith(".ts") ? ".ts" : ".js"),
);
/** One answer to the thread: several of its blocks, or a large chunk in a few parts. */
const DATA_BYTES = 4 * 1024 * 1024;
/** The memory of wasm does not shrink: a thread that has grown beyond is not kept for the next job. */
const KEPT_HEAP_BYTES = 192 * 1024 * 1024;
/** JavaScript's own memory in the thread: libraries, blocks, and what a header grows to. */
const HEAP_MB = 512;

/**
 * Decoders that are not ours, in a thread of their own: they work synchronously, and may hang or crash on hostile bytes. One job
 * at a time; a thread that fails is ended, and the next job gets a new one. An idle thread does not keep the process alive.
 */
export class DecoderThread {
  readonly #options: Required<DecoderThreadOptions>;
  #running: RunningThread | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor({ program = PROGRAM, silenceMs = 20_000, jobMs = 120_000 }: DecoderThreadOptions = {}) {
    this.#options = { program, silenceMs, jobMs };
  }

  /**
   * One answer for each block of the job, in its order; blocks that the thread did not come to are `unread` with the reason.
   * `read` is asked for what the decoder needs.
   * @throws what `read` throws (the first of it), and the signal's reason; the thread then goes on to the end of the job alone.
   */
  decode(job: Job, read: Read, signal?: AbortSignal): Promise<readonly Answer[]> {
    const turn = this.#last.then(async () => {
      signal?.throwIfAborted();
      return this.#decodeNow(job, read, signal);
    });
    this.#last = turn.catch(() => {});
    return unlessAborted(turn, signal);
  }

  /** Ends the thread, also in the middle of a job. */
  async end(): Promise<void> {
    await this.#running?.end();
  }

  async #decodeNow(job: Job, read: Read, signal: AbortSignal | undefined): Promise<readonly Answer[]> {
    if (this.#running?.isUsable !== true) this.#running = new RunningThread(this.#options.program);
    return this.#running.decode(job, read, this.#options, signal);
  }
}

/** The job that a thread is at. */
interface Current {
  onMessage(message: FromThread): void;
  onEnd(reason: string): void;
}

class RunningThread {
  isUsable = true;
  readonly #worker: Worker;
  readonly #control = new Int32Array(new SharedArrayBuffer(8));
  readonly #data = new Uint8Array(new SharedArrayBuffer(DATA_BYTES));
  #current: Current | undefined;

  constructor(program: URL) {
    const workerData: ThreadFacts = { control: this.#control.buffer, data: this.#data.buffer };
    this.#worker = new Worker(program, { workerData, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } });
    this.#worker.unref();
    this.#worker.on("message", (message: FromThread) => this.#current?.onMessage(message));
    this.#worker.on("error", (error: Error) => this.#ended(`the decoder failed: ${error.message}`));
    this.#worker.on("exit", () => this.#ended("the decoder's thread ended"));
  }

  async end(): Promise<void> {
    this.isUsable = false;
    await this.#worker.terminate();
  }

  async decode(
    job: Job,
    read: Read,
    limits: { readonly silenceMs: number; readonly jobMs: number },
    signal: AbortSignal | undefined,
  ): Promise<readonly Answer[]> {
    const answers: Answer[] = [];
    let failure: { readonly cause: unknown } | undefined;
    const bytesFor = async (offset: number, length: number): Promise<Uint8Array | undefined> => {
      if (failure !== undefined) return undefined;
      return read(offset, length, signal).catch((cause: unknown) => {
        failure ??= { cause };
        return undefined;
      });
    };
    this.#worker.ref();
    const ended = await this.#listen(
      limits,
      (resolve, listening) => ({
        onEnd: resolve,
        onMessage: (message) => {
          switch (message.kind) {
            case "read":
              listening.pause();
              void bytesFor(message.offset, message.length).then((bytes) => {
                this.#answer(bytes);
                listening.start();
              });
              return;
            case "answer":
              answers[message.number] = message.answer;
              listening.start();
              return;
            case "done":
              if (message.broken || message.heapBytes > KEPT_HEAP_BYTES) this.isUsable = false;
              resolve(undefined);
          }
        },
      }),
      () => this.#worker.postMessage(job),
    );
    this.#worker.unref();
    if (ended !== undefined || !this.isUsable) await this.end();
    if (failure !== undefined) throw failure.cause;
    return job.wanted.map((_, number) => answers[number] ?? { kind: "unread", reason: ended ?? "the decoder gave no answer" });
  }

  /** Makes a job the current one until it resolves or a limit passes. Answers why it ended before it was done, or undefined. */
  async #listen(
    { silenceMs, jobMs }: { readonly silenceMs: number; readonly jobMs: number },
    current: (resolve: (reason: string | undefined) => void, listening: { start(): void; pause(): void }) => Current,
    begin: () => void,
  ): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const silent = new Countdown(silenceMs, () => resolve(`the decoder said nothing for ${silenceMs} ms`));
    const whole = new Countdown(jobMs, () => resolve(`the decoder was not done within ${jobMs} ms`));
    this.#current = current(resolve, silent);
    silent.start();
    whole.start();
    begin();
    const reason = await promise;
    this.#current = undefined;
    silent.end();
    whole.end();
    return reason;
  }

  #answer(bytes: Uint8Array | undefined): void {
    if (bytes !== undefined) this.#data.set(bytes);
    this.#control[1] = bytes?.length ?? -1;
    Atomics.store(this.#control, 0, 1);
    Atomics.notify(this.#control, 0);
  }

  #ended(reason: string): void {
    this.isUsable = false;
    this.#current?.onEnd(reason);
  }
}

/** Calls once when nobody has started it anew for so long. */
class Countdown {
  readonly #ms: number;
  readonly #onZero: () => void;
  #timer: NodeJS.Timeout | undefined;
  #hasEnded = false;

  constructor(ms: number, onZero: () => void) {
    this.#ms = ms;
    this.#onZero = onZero;
  }

  start(): void {
    this.pause();
    if (!this.#hasEnded) this.#timer = setTimeout(this.#onZero, this.#ms);
  }

  pause(): void {
    clearTimeout(this.#timer);
  }

  end(): void {
    this.#hasEnded = true;
    this.pause();
  }
}

/** What `work` gives, or the signal's reason as soon as it is aborted; the work then goes on alone. */
async function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return work;
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
