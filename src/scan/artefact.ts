import { promisify } from "node:util";
import { zstdCompress, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { FreshetError, isFreshetError } from "../errors/index.ts";
import { ManifestColumns, manifestReader } from "./artefact-columns.ts";
import { groupFromJson, groupToJson, type JsonGroup, orderedIdentity } from "./artefact-json.ts";
import type { NativeCopy } from "./native-copy.ts";
import type { Samples } from "./samples.ts";
import type { Scan } from "./scan.ts";

/*
 * A stored scan, little-endian:
 *
 *     magic          8 bytes   "FRSCAN\r\n"
 *     version        4 bytes   1
 *     header length  4 bytes   of the JSON header in the body
 *     body length    8 bytes   decompressed
 *     body           a zstd frame (RFC 8878) of
 *       header       JSON, UTF-8, padded with zeros to a multiple of 8: the tree without its chunks, and the directory of columns
 *                    (and, since samples are taken, `samples`, and of native copies `copy`; a scan without them is read as before)
 *       columns      one after the other, each padded to a multiple of 8 (artefact-columns.ts)
 *
 * The same scan gives the same bytes.
 */
const MAGIC = Buffer.from("FRSCAN\r\n", "latin1");
const VERSION = 1;
const PREFIX_BYTES = 24;
/** Of the body: 50 million references. What is larger is no scan of ours. */
const BODY_LIMIT = 2 ** 30;

interface Header {
  readonly scan: Omit<Scan, "root" | "outcomes" | "samples" | "copy">;
  readonly outcomes: readonly (readonly [path: string, outcome: string, reason: string])[];
  readonly samples?: Samples;
  readonly copy?: NativeCopy;
  readonly uris: readonly string[];
  readonly root: JsonGroup;
  /** What `ManifestColumns.directory` says. */
  readonly columns: ReturnType<ManifestColumns["directory"]>;
}

/** The bytes of a scan. Compressing them takes some ten milliseconds for 100 000 references: `writeScanAside` does not block. */
export function writeScan(scan: Scan): Uint8Array {
  const { prefix, body } = serialise(scan);
  return new Uint8Array(Buffer.concat([prefix, zstdCompressSync(body)]));
}

/** The same bytes, compressed in a thread of Node's pool. */
export async function writeScanAside(scan: Scan): Promise<Uint8Array> {
  const { prefix, body } = serialise(scan);
  return new Uint8Array(Buffer.concat([prefix, await promisify(zstdCompress)(body)]));
}

function serialise(scan: Scan): { readonly prefix: Buffer; readonly body: Buffer } {
  const { uri, identity, format, root, outcomes, requests, bytesRead, roundTrips, samples, copy } = scan;
  const columns = new ManifestColumns();
  const tree = groupToJson(root, columns);
  const directory = columns.directory();
  const header: Header = {
    // One by one: the order of the members is part of the bytes.
    scan: { uri, identity: orderedIdentity(identity), format, requests, bytesRead, roundTrips },
    outcomes: outcomes.map(({ path, outcome, reason }) => [path, outcome, reason]),
    ...(samples === undefined ? {} : { samples: orderedSamples(samples) }),
    ...(copy === undefined ? {} : { copy: orderedCopy(copy) }),
    uris: columns.uris,
    root: tree,
    columns: directory,
  };
  const json = Buffer.from(JSON.stringify(header));
  const body = Buffer.concat([json, Buffer.alloc(-json.length & 7), columns.bytes(directory)]);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  MAGIC.copy(prefix);
  prefix.writeUInt32LE(VERSION, 8);
  prefix.writeUInt32LE(json.length, 12);
  prefix.writeBigUInt64LE(BigInt(body.length), 16);
  return { prefix, body };
}

/** @throws FreshetError `corrupt` when the bytes are not those of a scan that this version wrote. */
export function readScan(bytes: Uint8Array): Scan {
  const prefix = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, PREFIX_BYTES));
  if (prefix.length < PREFIX_BYTES || !prefix.subarray(0, 8).equals(MAGIC)) throw corrupt("no stored scan", "another magic");
  const version = prefix.readUInt32LE(8);
  if (version !== VERSION) throw corrupt("a stored scan of another version", `${version}`, `${VERSION}`);
  const headerLength = prefix.readUInt32LE(12);
  const bodyLength = prefix.readBigUInt64LE(16);
  if (bodyLength > BODY_LIMIT) throw corrupt("a stored scan is too large", `${bodyLength} bytes`, `at most ${BODY_LIMIT}`);
  try {
    const body = alignedBody(bytes.subarray(PREFIX_BYTES), Number(bodyLength));
    const header = JSON.parse(Buffer.from(body.buffer, 0, headerLength).toString()) as Header;
    const manifests = manifestReader(body.buffer, headerLength + (-headerLength & 7), header.columns, header.uris);
    return {
      ...header.scan,
      // Scans of before did not say; each read may have waited for the one before it.
      roundTrips: header.scan.roundTrips ?? header.scan.requests,
      identity: orderedIdentity(header.scan.identity),
      root: groupFromJson(header.root, manifests),
      outcomes: header.outcomes.map(([path, outcome, reason]) => ({ path, outcome: outcome as never, reason })),
      ...(header.samples === undefined ? {} : { samples: header.samples }),
      ...(header.copy === undefined ? {} : { copy: header.copy }),
    };
  } catch (error) {
    if (isFreshetError(error)) throw error;
    throw corrupt("a stored scan cannot be read", (error as Error).message, undefined, error);
  }
}

/** The samples with their members in one order: it is part of the bytes. */
function orderedSamples({ by, taken, loaded, passedOver, requests, bytesRead }: Samples): Samples {
  return {
    by,
    taken: taken.map(({ path, index, extent, sha256, isUnwritten }) => ({ path, index, extent, sha256, isUnwritten })),
    loaded,
    passedOver: passedOver.map(({ path, reason }) => ({ path, reason })),
    requests,
    bytesRead,
  };
}

function orderedCopy({ because, encoded, filled, leftOut }: NativeCopy): NativeCopy {
  return { because, encoded, filled, leftOut };
}

/** Typed arrays are laid over the columns: the body begins at a multiple of 8. */
function alignedBody(compressed: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const decompressed = zstdDecompressSync(compressed, { maxOutputLength: Math.max(1, length) });
  if (decompressed.length !== length) throw corrupt("a stored scan is cut off", `${decompressed.length} bytes`, `${length}`);
  const body = new Uint8Array(length);
  body.set(decompressed);
  return body;
}

function corrupt(summary: string, found: string, expected?: string, cause?: unknown): FreshetError {
  return new FreshetError("corrupt", summary, { found, expected, cause });
}
