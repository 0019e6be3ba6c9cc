// What `npm run fuzz` runs in a thread of its own: scans damaged files, and compares what it gets with what libhdf5 (h5wasm) reads from them.
import { parentPort, workerData } from "node:worker_threads";
import { ready } from "h5wasm";
import { isFreshetError } from "../src/errors/index.ts";
import { readVirtualArray } from "../src/scan/index.ts";
import { arraysOf, elementSize, type VirtualArray } from "../src/virtual/index.ts";
import { mutate } from "../test/formats/fuzz/mutate.ts";
import { Random } from "../test/formats/fuzz/random.ts";
import { scanCase } from "../test/formats/fuzz/scan-case.ts";

/** One damaged file: the bytes it is made of, and the seed of what is changed; none: nothing is. */
export interface Case {
  readonly bytes: Uint8Array;
  readonly seed: number | undefined;
}

export interface Verdict {
  readonly scanned: boolean;
  /** Variables that libhdf5 reads too, with the same values. */
  readonly equal: number;
  /** What is wrong, one sentence each. */
  readonly findings: readonly string[];
  readonly scanMs: number;
}

/** What the thread is at, for whoever watches it. */
export const STAGE = { idle: 0, scan: 1, witness: 2 } as const;

const MOST_COMPARED_BYTES = 2 ** 20;

async function judge({ bytes, seed }: Case): Promise<Verdict> {
  const damaged = seed === undefined ? bytes : mutate(bytes, new Random(seed));
  const findings: string[] = [];
  setStage(STAGE.scan);
  const started = performance.now();
  const format = damaged[0] === 0x43 ? "netcdf3" : "hdf5";
  const scan = await scanCase(damaged, format).catch((error: unknown) => {
    findings.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return undefined;
  });
  const scanMs = performance.now() - started;
  let equal = 0;
  if (scan !== undefined && format === "hdf5" && (workerData as { compare: boolean }).compare) {
    const ours = new Map<string, Uint8Array>();
    // h5wasm gives numbers as they are stored.
    const converted = new Set(
      scan.outcomes.filter(({ reason }) => reason.startsWith("Zarr has no type")).map(({ path }) => path),
    );
    for (const [path, array] of arraysOf(scan.root)) {
      if (converted.has(path)) continue;
      const values = await valuesOf(array, damaged);
      if (values !== undefined) ours.set(path, values);
    }
    setStage(STAGE.witness);
    equal = await compare(damaged, new Map(arraysOf(scan.root)), ours, findings);
  }
  setStage(STAGE.idle);
  return { scanned: scan !== undefined, equal, findings, scanMs };
}

/** Undefined for what is not compared: no numbers, too large, values that do not decode. */
async function valuesOf(array: VirtualArray, bytes: Uint8Array): Promise<Uint8Array | undefined> {
  const { dataType, shape, chunkShape } = array;
  if (dataType.kind !== "number" || dataType.name.startsWith("complex")) return undefined;
  const size = elementSize(dataType) ?? 1;
  if ([shape, chunkShape].some((lengths) => lengths.reduce((product, length) => product * length, size) > MOST_COMPARED_BYTES))
    return undefined;
  try {
    return await readVirtualArray(array, async (_, offset, length) => bytes.slice(offset, offset + length));
  } catch (error) {
    if (isFreshetError(error)) return undefined;
    throw error;
  }
}

/** What is used of h5wasm's module. */
interface Module {
  readonly FS: { writeFile(name: string, bytes: Uint8Array): void; unlink(name: string): void };
  readonly HEAPU8: Uint8Array;
  readonly H5F_ACC_RDONLY: number;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  open(name: string, mode: number, trackOrder: boolean, lowVersion: number, highVersion: number): bigint;
  close_file(file: bigint): number;
  get_dataset_metadata(
    file: bigint,
    path: string,
  ): { readonly type: number; readonly size: number; readonly shape: readonly number[] | null };
  /** Negative where libhdf5 fails. */
  get_dataset_data(file: bigint, path: string, count: null, offset: null, strides: null, pointer: bigint): number;
}

/** H5T_class_t: integer, float. Others h5wasm does not give as numbers. */
const NUMBERS = [0, 1];

let files = 0;

/** Counts the variables that libhdf5 reads in the same way, and tells those that it reads in another. */
async function compare(
  bytes: Uint8Array,
  arrays: ReadonlyMap<string, VirtualArray>,
  ours: ReadonlyMap<string, Uint8Array>,
  findings: string[],
): Promise<number> {
  const module = (await ready) as unknown as Module;
  const name = `damaged-${++files}.h5`;
  module.FS.writeFile(name, bytes);
  const file = module.open(name, module.H5F_ACC_RDONLY, false, -1, -1);
  let equal = 0;
  for (const [path, values] of file < 0n ? [] : ours) {
    const theirs = witnessed(module, file, path, values.length);
    if (theirs === undefined) continue;
    const { shape } = arrays.get(path) as VirtualArray;
    if (theirs.shape.join() !== shape.slice(0, theirs.shape.length).join())
      findings.push(`${path}: shape ${shape}, libhdf5 reads ${theirs.shape}`);
    else if (Buffer.compare(theirs.values, values) !== 0) findings.push(`${path}: libhdf5 reads other values`);
    else equal++;
  }
  if (file >= 0n) module.close_file(file);
  module.FS.unlink(name);
  return equal;
}

/** Shape and values as libhdf5 reads them, undefined where it does not, or where they have another size. */
function witnessed(
  module: Module,
  file: bigint,
  path: string,
  bytes: number,
): { readonly shape: readonly number[]; readonly values: Uint8Array } | undefined {
  try {
    const { type, size, shape } = module.get_dataset_metadata(file, path);
    if (shape === null || !NUMBERS.includes(type)) return undefined;
    const total = shape.reduce((product, length) => product * length, size);
    if (total !== bytes) return { shape, values: new Uint8Array(0) };
    const [zeros, ones] = [0x00, 0xff].map((background) => readOver(module, file, path, bytes, background));
    // What is never filled is left as it was, and has no value.
    if (zeros === undefined || ones === undefined || Buffer.compare(zeros, ones) !== 0) return undefined;
    return { shape, values: zeros };
  } catch (error) {
    if (error instanceof Error && error.name === "RuntimeError") throw error;
    return undefined;
  }
}

function readOver(module: Module, file: bigint, path: string, bytes: number, background: number): Uint8Array | undefined {
  const pointer = module._malloc(Math.max(1, bytes));
  try {
    module.HEAPU8.fill(background, pointer, pointer + bytes);
    const status = module.get_dataset_data(file, path, null, null, null, BigInt(pointer));
    return status < 0 ? undefined : module.HEAPU8.slice(pointer, pointer + bytes);
  } finally {
    module._free(pointer);
  }
}

function setStage(stage: number): void {
  Atomics.store((workerData as { stage: Int32Array }).stage, 0, stage);
}

parentPort?.on("message", async (one: Case) => parentPort?.postMessage(await judge(one)));
