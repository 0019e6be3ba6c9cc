import { FreshetError } from "../errors/index.ts";
import { type Format, isCopyUri, type Sample, type Samples, type Scan } from "../scan/index.ts";
import type { RangeReader, SourceIdentity } from "../storage/index.ts";
import { arraysOf, describeDataType, type VirtualArray } from "../virtual/index.ts";
import { type ChunkChoice, chooseChunks } from "./choose-chunks.ts";
import { DecoderThread } from "./decoder-thread.ts";
import { hashOfVirtualChunk } from "./hash-of-chunk.ts";
import { disagreement, requireSameValues } from "./loaded-values.ts";
import { comparedBytes, extentOf } from "./normal-form.ts";
import { RememberedReads } from "./remembered-reads.ts";
import { requestFor } from "./thread/block-request.ts";
import type { Answer, Wanted } from "./thread/messages.ts";

export interface TakeSamplesOptions {
  /** Chunks at most. Default 8. */
  readonly chunks?: number;
  /** Bytes that the source is asked for at most, default 16 MiB. One chunk that is larger than that is read all the same. */
  readonly mostBytes?: number;
  readonly signal?: AbortSignal;
  /** Default: the one of the process. */
  readonly thread?: DecoderThread;
}

const DECODERS: Readonly<Record<Format, string>> = { hdf5: "h5wasm 0.10.3 (HDF5 2.0.0)", netcdf3: "netcdfjs 4.0.0" };

const MOST_BYTES = 16 * 1024 * 1024;
/** Of a chunk, decoded: a publication decodes it once more. */
const CHUNK_BYTES = 16 * 1024 * 1024;
/** Where every chunk is larger, of the smallest. Beyond this the memory of two decoders is at stake. */
const LARGEST_CHUNK_BYTES = 128 * 1024 * 1024;
/** Of all chunks together, decoded. */
const SAMPLE_BYTES = 32 * 1024 * 1024;
/** Of all loaded arrays together. */
const LOADED_BYTES = 16 * 1024 * 1024;
/** For the decoder's way to a chunk that is read beyond `mostBytes`. */
const WAY_BYTES = 4 * 1024 * 1024;
/** What the decoders undo. h5wasm has no other filters without its plugins. */
const KNOWN_CODECS: ReadonlySet<string> = new Set(["bytes", "numcodecs.shuffle", "numcodecs.zlib", "numcodecs.fletcher32"]);

const processThread = new DecoderThread();

/**
 * What a decoder that is not ours (libhdf5, netcdfjs) reads in a few chunks of a scanned source, as hashes for the publication to
 * compare with; the choice follows from the source's identity. The loaded values of the scan are held against it at once, and so
 * are types, shapes and the fill of unwritten chunks.
 *
 * A `reader` that remembers what the scan has read (`RememberedReads`) saves the requests for the metadata. What cannot be compared
 * is passed over with the reason; the decoder not reading a file is such a reason, its reading something else is not.
 * @throws FreshetError `corrupt` where scan and decoder do not see the same, `source-changed` when the reader is not of the
 *   scan's revision, and what reading throws.
 */
export async function takeSamples(reader: RangeReader, scan: Scan, options: TakeSamplesOptions = {}): Promise<Samples> {
  requireSameRevision(reader, scan);
  const { signal, mostBytes = MOST_BYTES, thread = processThread } = options;
  const source = reader instanceof RememberedReads ? reader : new RememberedReads(reader);
  const before = { requests: source.requests, bytes: source.bytes };
  const by = DECODERS[scan.format];
  const plan = planFor(scan, options.chunks ?? 8, mostBytes);
  const budget = new Budget(source, Math.max(mostBytes, plan.storedBytes + WAY_BYTES), before.bytes);
  await fetchAhead(source, plan.chunks, signal);
  const answers = await thread.decode(
    { format: scan.format, size: source.size, wanted: [...plan.chunks.map(wantedChunk), ...plan.loaded.map(wantedValues)] },
    (offset, length, ending) => budget.read(offset, length, ending),
    signal,
  );

  const taken: Sample[] = [];
  const loaded: string[] = [];
  const passedOver = [...plan.passedOver];
  const said = new Set<string>();
  const judge = (path: string, answer: Answer): Exclude<Answer, { kind: "differs" | "unread" }> | undefined => {
    if (answer.kind === "differs") throw disagreement({ path, uri: scan.uri }, by, answer);
    if (answer.kind !== "unread") return answer;
    const why = budget.isSpent ? `more than ${budget.most} bytes of the source would have to be read: ` : "";
    const reason = `${why}${answer.reason}`;
    if (!said.has(`${path} ${reason}`)) passedOver.push({ path, reason });
    said.add(`${path} ${reason}`);
    return undefined;
  };
  for (const [number, choice] of plan.chunks.entries()) {
    const answer = judge(choice.path, answers[number] as Answer);
    if (answer?.kind !== "hash") continue;
    const sample = sampleOf(choice, answer.sha256);
    if (sample.isUnwritten) await requireSameFill(choice, sample, by, scan.uri);
    taken.push(sample);
  }
  for (const [number, [path, array]] of plan.loaded.entries()) {
    const answer = judge(path, answers[plan.chunks.length + number] as Answer);
    if (answer?.kind !== "elements") continue;
    await requireSameValues(path, array, answer.elements, by, scan.uri);
    loaded.push(path);
  }
  return { by, taken, loaded, passedOver, requests: source.requests - before.requests, bytesRead: source.bytes - before.bytes };
}

function requireSameRevision(reader: RangeReader, scan: Scan): void {
  const shown = ({ etag, lastModifiedMs, size }: SourceIdentity): string => `${etag ?? lastModifiedMs ?? "?"} of ${size} bytes`;
  const [found, expected] = [shown(reader.identity), shown(scan.identity)];
  if (found === expected) return;
  throw new FreshetError("source-changed", "the source is not the one that was scanned", {
    found,
    expected,
    uri: reader.uri,
    remedy: "Scan it again",
  });
}

type Named = readonly [path: string, array: VirtualArray];

interface Plan {
  readonly chunks: readonly ChunkChoice[];
  /** Stored bytes of the chunks. */
  readonly storedBytes: number;
  readonly loaded: readonly Named[];
  readonly passedOver: readonly { readonly path: string; readonly reason: string }[];
}

function planFor(scan: Scan, most: number, mostBytes: number): Plan {
  const passedOver: { path: string; reason: string }[] = [];
  const referenced: Named[] = [];
  const inlined: Named[] = [];
  const reasons = new Map(scan.outcomes.map((outcome) => [outcome.path, outcome.reason]));
  for (const [path, array] of arraysOf(scan.root)) {
    if (array.manifest.cells === 0) continue;
    const reason = whyNot(path, array, scan, reasons);
    if (reason !== undefined) passedOver.push({ path, reason });
    else if (isLoaded(array)) inlined.push([path, array]);
    else referenced.push([path, array]);
  }
  const { chunks, storedBytes, tooLarge } = withinBounds(referenced, seedOf(scan), most, mostBytes);
  return { chunks, storedBytes, loaded: smallestFirst(inlined, passedOver), passedOver: [...passedOver, ...tooLarge] };
}

/** Why an array is not compared. `reasons`: of the outcome of every variable, by path. */
function whyNot(
  path: string,
  array: VirtualArray,
  { uri, copy }: Scan,
  reasons: ReadonlyMap<string, string>,
): string | undefined {
  if (copy?.filled.includes(path)) return "the source does not have it";
  const name = path.lastIndexOf("/") + 1;
  // netCDF's name of the one would be that of the other, and the decoder would take the other.
  if (reasons.has(`${path.slice(0, name)}_nc4_non_coord_${path.slice(name)}`))
    return "another variable has a name that netCDF reads as this one";
  // Numbers that the scan has converted come from the decoder as they are stored.
  const because = reasons.get(path) ?? "";
  if (because.startsWith("Zarr has no type for")) return because;
  const type = describeDataType(array.dataType);
  if (array.dataType.kind !== "number" || comparedBytes(type) === undefined) return `values of type ${type} are not compared`;
  const codec = array.codecs.find(({ name }) => !KNOWN_CODECS.has(name));
  if (codec !== undefined) return `the other decoder has no ${codec.name}`;
  const elsewhere = array.manifest.uris.find((other) => other !== uri && !isCopyUri(other));
  if (elsewhere !== undefined) return "its values lie in another file";
  const { ranges, inlined } = array.manifest.counts();
  if (ranges + inlined === 0 && array.fillValue === null) return "nothing of it is written, and no fill is said";
  return undefined;
}

function isLoaded({ manifest }: VirtualArray): boolean {
  const { ranges, inlined } = manifest.counts();
  return ranges === 0 && inlined > 0;
}

function decodedBytes({ dataType }: VirtualArray, shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, comparedBytes(describeDataType(dataType)) ?? 0);
}

function smallestFirst(loaded: readonly Named[], passedOver: { path: string; reason: string }[]): Named[] {
  const sized = loaded
    .map((named) => ({ named, bytes: decodedBytes(named[1], named[1].shape) }))
    .sort((a, b) => a.bytes - b.bytes);
  let left = LOADED_BYTES;
  return sized.flatMap(({ named, bytes }) => {
    left -= bytes;
    if (left >= 0) return [named];
    passedOver.push({ path: named[0], reason: `more than ${LOADED_BYTES} bytes of loaded values are not compared` });
    return [];
  });
}

/** The first `most` chunks in the order of choice that stay within the bounds; where none does, the smallest one. */
function withinBounds(
  arrays: readonly Named[],
  seed: string,
  most: number,
  mostBytes: number,
): { chunks: ChunkChoice[]; storedBytes: number; tooLarge: { path: string; reason: string }[] } {
  const chunks: ChunkChoice[] = [];
  let stored = 0;
  let decoded = 0;
  const small = arrays.filter(([, array]) => decodedBytes(array, array.chunkShape) <= CHUNK_BYTES);
  // Chunks that are too long as stored are drawn and left; not for ever.
  let draws = 4 * most;
  for (const choice of chooseChunks(small, seed)) {
    if (chunks.length >= most || draws-- <= 0) break;
    const storedBytes = storedLength(choice);
    const decodedLength = decodedBytes(choice.array, choice.array.chunkShape);
    if (stored + storedBytes > mostBytes || decoded + decodedLength > SAMPLE_BYTES) continue;
    chunks.push(choice);
    stored += storedBytes;
    decoded += decodedLength;
  }
  const tooLarge = arrays
    .filter(([, array]) => !small.some(([, other]) => other === array))
    .map(([path, array]) => ({
      path,
      reason: `a chunk of ${decodedBytes(array, array.chunkShape)} bytes is too large to compare`,
    }));
  if (chunks.length > 0 || most < 1 || arrays.length === 0) return { chunks, storedBytes: stored, tooLarge };
  const [smallest] = arrays.toSorted(([, a], [, b]) => decodedBytes(a, a.chunkShape) - decodedBytes(b, b.chunkShape)) as [Named];
  if (decodedBytes(smallest[1], smallest[1].chunkShape) > LARGEST_CHUNK_BYTES) return { chunks, storedBytes: stored, tooLarge };
  const [only] = chooseChunks([smallest], seed);
  if (only === undefined) return { chunks, storedBytes: stored, tooLarge };
  return { chunks: [only], storedBytes: storedLength(only), tooLarge: tooLarge.filter(({ path }) => path !== only.path) };
}

function storedLength({ array, cell }: ChunkChoice): number {
  const reference = array.manifest.at(cell);
  return reference.kind === "range" ? reference.length : 0;
}

function seedOf({ uri, identity }: Scan): string {
  return identity.etag ?? `${uri} ${identity.lastModifiedMs} ${identity.size}`;
}

/** Has the chunks' bytes at hand before the decoder asks for them one by one: all at once, where the scan says that they are. */
async function fetchAhead(
  source: RememberedReads,
  chunks: readonly ChunkChoice[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const requests = new Map<number, number>();
  for (const { array, cell } of chunks) {
    const reference = array.manifest.at(cell);
    if (reference.kind !== "range" || reference.length === 0 || isCopyUri(reference.uri)) continue;
    // Too much to be remembered; and where the scan is wrong about the place, the decoder asks for another.
    if (reference.length > CHUNK_BYTES) continue;
    if (reference.offset + reference.length > source.size) continue;
    const { offset, length } = requestFor(reference.offset, reference.length, source.size);
    requests.set(offset, Math.max(length, requests.get(offset) ?? 0));
  }
  await Promise.all([...requests].map(([offset, length]) => source.read(offset, length, signal)));
}

function wantedChunk({ path, array, cell, index }: ChunkChoice): Wanted {
  const { shape, chunkShape } = array;
  // A chunk of a copy may be made of some that the source has not written.
  const mayHaveGaps = array.manifest.at(cell).kind === "missing" || array.manifest.uris.some(isCopyUri);
  const start = index.map((at, axis) => at * (chunkShape[axis] as number));
  return {
    path,
    type: describeDataType(array.dataType),
    shape,
    start,
    extent: extentOf(shape, chunkShape, index),
    mayHaveGaps,
    as: "hash",
  };
}

function wantedValues([path, { shape, dataType }]: Named): Wanted {
  return {
    path,
    type: describeDataType(dataType),
    shape,
    start: shape.map(() => 0),
    extent: shape,
    mayHaveGaps: true,
    as: "elements",
  };
}

function sampleOf({ path, array, cell, index }: ChunkChoice, sha256: string): Sample {
  const extent = extentOf(array.shape, array.chunkShape, index);
  return { path, index, extent, sha256, isUnwritten: array.manifest.at(cell).kind === "missing" };
}

/** What an unwritten chunk reads as through the scan is its fill. NaN is NaN: the bits of a fill are not kept. */
async function requireSameFill({ path, array, index }: ChunkChoice, sample: Sample, by: string, uri: string): Promise<void> {
  if (Number.isNaN(array.fillValue)) return;
  const ours = await hashOfVirtualChunk(path, array, index, sample.extent, () =>
    Promise.reject(new Error("nothing is to be read")),
  );
  if (ours === sample.sha256) return;
  throw disagreement({ path, uri }, by, {
    found: `the unwritten chunk [${index}] as ${String(array.fillValue)}`,
    expected: "another fill, or values",
  });
}

/** Reads of the source until so many bytes have come from it; what is remembered costs nothing. */
class Budget {
  isSpent = false;
  readonly most: number;
  readonly #source: RememberedReads;
  readonly #before: number;

  constructor(source: RememberedReads, most: number, before: number) {
    this.#source = source;
    this.most = most;
    this.#before = before;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const spent = this.#source.bytes - this.#before;
    if (!this.#source.has(offset, length) && spent + length > this.most) {
      this.isSpent = true;
      return undefined;
    }
    return this.#source.read(offset, length, signal);
  }
}
