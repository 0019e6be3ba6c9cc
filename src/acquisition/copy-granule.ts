import { encodeChunk } from "../codecs/index.ts";
import type { Dataset } from "../dataset/index.ts";
import type { CopyPlan } from "../products/index.ts";
import { type CopiedCells, copiedManifest, readFrom, rechunk, type Scan, type ScanStore, withSamples } from "../scan/index.ts";
import {
  ChunkManifestBuilder,
  chunkGrid,
  elementSize,
  type VariableOutcome,
  type VirtualArray,
  withArrays,
} from "../virtual/index.ts";
import { RememberedReads, takeSamples } from "../witness/index.ts";
import { openSource } from "./open-source.ts";
import type { ScannedRevision } from "./scan-revision.ts";

/** One copy at a time in a process: each may hold hundreds of megabytes. */
let lastCopy: Promise<unknown> = Promise.resolve();

/**
 * Copies a granule as planned: what differs is decoded and written in the product's form, into a file beside the scans, from which publications take the
 * chunks. What it answers is a scan of the same revision in that form; the other decoder has been asked about the source once more, by the chunks of the
 * copy.
 * @param because in what the granule differs, in words; kept with the scan.
 * @throws FreshetError `unsupported`, `malformed`, `source-changed`, `corrupt` where the copy is not what the other decoder reads; and what reading throws.
 */
export async function copyGranule(
  scan: Scan,
  plan: CopyPlan,
  because: string,
  dataset: Dataset,
  parts: { readonly scans: ScanStore; readonly signal: AbortSignal; readonly tell: (what: string) => void },
): Promise<ScannedRevision> {
  parts.tell("waiting for another copy");
  const turn = lastCopy.then(() => {
    parts.signal.throwIfAborted();
    return copyNow(scan, plan, because, dataset, parts);
  });
  lastCopy = turn.catch(() => undefined);
  return turn;
}

type Copied = ReadonlyMap<string, (uri: string) => VirtualArray>;

async function copyNow(
  scan: Scan,
  plan: CopyPlan,
  because: string,
  dataset: Dataset,
  { scans, signal, tell }: Parameters<typeof copyGranule>[4],
): Promise<ScannedRevision> {
  const reader = await openSource(dataset.source, scan.uri, signal);
  try {
    const copies = await scans.beginCopies();
    let arrays: Copied;
    let uri: string;
    try {
      arrays = new Map([
        ...(await encodeArrays(plan, readFrom(reader), copies, signal, tell)),
        ...(await fillArrays(plan, copies)),
      ]);
      uri = await copies.finish();
    } catch (error) {
      await copies.abandon();
      throw error;
    }
    const made = new Map<string, VirtualArray | undefined>(plan.leftOut.map((path) => [path, undefined]));
    for (const [path, arrayAt] of arrays) made.set(path, arrayAt(uri));
    const { samples: _, ...rest } = scan;
    const copy: Scan = {
      ...rest,
      root: withArrays(scan.root, made),
      outcomes: scan.outcomes.map((outcome) => outcomeIn(plan, outcome)),
      copy: {
        because,
        encoded: plan.encoded.map(({ path }) => path),
        filled: plan.filled.map(({ path }) => path),
        leftOut: plan.leftOut,
      },
    };
    tell("asking another decoder about the copy");
    const samples = await takeSamples(new RememberedReads(reader), copy, { chunks: dataset.publish.verify.chunks, signal });
    const kept = withSamples(copy, samples);
    return { scan: kept, address: await scans.put(kept) };
  } finally {
    await reader.close();
  }
}

async function encodeArrays(
  plan: CopyPlan,
  read: ReturnType<typeof readFrom>,
  copies: Awaited<ReturnType<ScanStore["beginCopies"]>>,
  signal: AbortSignal,
  tell: (what: string) => void,
): Promise<Copied> {
  const made = new Map<string, (uri: string) => VirtualArray>();
  for (const { path, source, form, isOnlyUnwritten, isSameFill } of plan.encoded) {
    const { chunkShape, codecs, fillValue } = form;
    const cells = await rechunk(source, form, {
      read,
      copies,
      isSameFill,
      signal,
      only: isOnlyUnwritten ? (cell) => source.manifest.at(cell).kind === "missing" : undefined,
      onChunk: (done, of) => tell(`copying ${path}, chunk ${done + 1} of ${of}`),
    });
    const others = isOnlyUnwritten ? source.manifest : undefined;
    made.set(path, (uri) => {
      const manifest = copiedManifest(source.shape, form, uri, cells, others);
      return { ...source, chunkShape, codecs, fillValue, manifest };
    });
  }
  return made;
}

/** Every chunk of an array of missing values is the same. */
async function fillArrays({ filled }: CopyPlan, copies: Awaited<ReturnType<ScanStore["beginCopies"]>>): Promise<Copied> {
  const made = new Map<string, (uri: string) => VirtualArray>();
  for (const { path, form, element, isPacked } of filled) {
    const { shape, chunkShape } = form;
    const cells = new Map<number, { offset: number; length: number }>();
    const grid = chunkGrid(shape, chunkShape);
    if (isPacked) {
      const builder = new ChunkManifestBuilder(grid);
      builder.setInline(0, repeated(element as Uint8Array, sizeOf(shape)));
      made.set(path, () => ({ ...form, manifest: builder.build() }));
      continue;
    }
    if (element !== undefined) {
      const bytes = await encodeChunk(repeated(element, sizeOf(chunkShape)), form.codecs, widthOf(form));
      const place = { offset: await copies.add(bytes), length: bytes.length };
      for (let cell = 0; cell < sizeOf(grid); cell++) cells.set(cell, place);
    }
    made.set(path, (uri) => ({ ...form, manifest: copiedManifest(shape, form, uri, cells satisfies CopiedCells) }));
  }
  return made;
}

function outcomeIn({ encoded, leftOut }: CopyPlan, outcome: VariableOutcome): VariableOutcome {
  const { path } = outcome;
  if (leftOut.includes(path)) return { path, outcome: "refused", reason: "left out: the product does not have it" };
  if (!encoded.some((array) => array.path === path)) return outcome;
  return { path, outcome: "inlined", reason: "copied in the product's own chunks and codecs" };
}

function repeated(element: Uint8Array, times: number): Uint8Array {
  const bytes = new Uint8Array(element.length * times);
  for (let index = 0; index < times; index++) bytes.set(element, index * element.length);
  return bytes;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

function widthOf({ dataType }: VirtualArray): number {
  return elementSize(dataType as Parameters<typeof elementSize>[0]) as number;
}
