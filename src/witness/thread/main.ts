import { parentPort, workerData } from "node:worker_threads";
import { listenToComplaints } from "./complaints.ts";
import type { OpenSource } from "./decoder.ts";
import type { Answer, FromThread, Job, ThreadFacts } from "./messages.ts";
import { Ranges } from "./ranges.ts";
import { isTrap, limitMemory } from "./wasm.ts";

/** Most that wasm may grow its memory to in this thread: h5wasm itself would go to 2 GiB. */
const WASM_LIMIT = 512 * 1024 * 1024;

limitMemory(WASM_LIMIT);
listenToComplaints();
// After both are in force.
const [hdf5, netcdf3] = await Promise.all([import("./hdf5.ts"), import("./netcdf3.ts")]);

const say = (message: FromThread): void => parentPort?.postMessage(message);

/** Whatever comes out of memory that a trap has left behind is no testimony. */
const AFTER_TRAP: Answer = { kind: "unread", reason: "the decoder crashed at something before this" };

function run(job: Job): void {
  const ranges = new Ranges(workerData as ThreadFacts, job.size);
  let broken = false;
  const attempt = <Result>(what: () => Result): Result | { readonly kind: "unread"; readonly reason: string } => {
    try {
      return what();
    } catch (error) {
      // A trap leaves libhdf5 in the middle of something.
      if (isTrap(error)) broken = true;
      return { kind: "unread", reason: (error as Error).message };
    }
  };
  const source = attempt((): OpenSource => (job.format === "hdf5" ? hdf5.openHdf5(ranges) : netcdf3.openNetcdf3(ranges)));
  for (const [number, wanted] of job.wanted.entries()) {
    const answer: Answer = "kind" in source ? source : broken ? AFTER_TRAP : attempt(() => source.read(wanted));
    say({ kind: "answer", number, answer });
  }
  if (!("kind" in source) && !broken) attempt(() => source.close());
  say({ kind: "done", heapBytes: hdf5.hdf5HeapBytes(), broken });
}

parentPort?.on("message", run);
