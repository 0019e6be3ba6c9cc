import { FreshetError } from "../errors/index.ts";
import { BitReader } from "./bit-reader.ts";

/** How HDF5's szip filter was set up: its four client values. */
export interface SzipParameters {
  /** Bit 4 (16): samples are written highest byte first; bit 5 (32): they were predicted from their neighbours. */
  readonly options: number;
  /** Even, 2 to 32. */
  readonly pixelsPerBlock: number;
  /** 1 to 32, or 64. */
  readonly bitsPerPixel: number;
  /** Samples between two reference samples; each such line is padded to whole blocks. */
  readonly pixelsPerScanline: number;
}

const MOST_SIGNIFICANT_FIRST = 16;
const NEAREST_NEIGHBOUR = 32;
/** Blocks in a row of zero blocks after which a new row begins (CCSDS 121.0-B-3, 3.5.2). */
const SEGMENT_BLOCKS = 64;
/** The code for "zero blocks up to the end of the segment". */
const REST_OF_SEGMENT = 5;

/**
 * Decodes a chunk of HDF5's szip filter: its length decoded, 4 bytes little-endian, then the extended-Rice code of CCSDS 121.0-B as the
 * szip library writes it: samples of 32 and 64 bits are split into planes of bytes, first bytes first.
 * `most` bounds the decoded bytes. @throws FreshetError `malformed`.
 */
export function unszip(bytes: Uint8Array, parameters: SzipParameters, most: number): Uint8Array {
  const { options, pixelsPerBlock, bitsPerPixel, pixelsPerScanline } = parameters;
  const isPossible =
    pixelsPerBlock >= 2 &&
    pixelsPerBlock <= 64 &&
    pixelsPerBlock % 2 === 0 &&
    ((bitsPerPixel >= 1 && bitsPerPixel <= 32) || bitsPerPixel === 64) &&
    pixelsPerScanline >= 1 &&
    pixelsPerScanline <= 4096 * 64;
  if (!isPossible)
    throw new FreshetError("malformed", "the szip filter has impossible parameters", { found: JSON.stringify(parameters) });
  if (bytes.length < 4) throw new FreshetError("malformed", "a chunk of the szip filter has no length");
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  if (length > most) {
    throw new FreshetError("malformed", "a chunk is larger than its elements", {
      found: `${length} bytes`,
      expected: `${most} bytes`,
    });
  }
  const planes = bitsPerPixel === 32 || bitsPerPixel === 64 ? bitsPerPixel / 8 : 1;
  const bits = planes > 1 ? 8 : bitsPerPixel;
  const width = bits > 16 ? 4 : bits > 8 ? 2 : 1;
  const samples = Math.ceil(length / width);
  const reader = new BitReader(bytes.subarray(4), "the bits of an szip chunk");
  const isPredicted = (options & NEAREST_NEIGHBOUR) !== 0;
  const bigEndian = (options & MOST_SIGNIFICANT_FIRST) !== 0;
  const line = new Uint32Array(Math.ceil(pixelsPerScanline / pixelsPerBlock) * pixelsPerBlock);
  const flat = new Uint8Array(samples * width);
  for (let start = 0; start < samples; start += pixelsPerScanline) {
    const needed = Math.min(pixelsPerScanline, samples - start);
    line.fill(0);
    decodeLine(reader, line, needed, { bits, blockSamples: pixelsPerBlock, isPredicted });
    if (isPredicted) undoPrediction(line.subarray(0, needed), bits);
    for (let at = 0; at < needed; at++) {
      const value = line[at] as number;
      for (let byte = 0; byte < width; byte++) {
        flat[(start + at) * width + byte] = value >>> (8 * (bigEndian ? width - 1 - byte : byte));
      }
    }
  }
  return planes === 1 ? flat.subarray(0, length) : joinPlanes(flat.subarray(0, length), planes);
}

interface Coding {
  readonly bits: number;
  readonly blockSamples: number;
  readonly isPredicted: boolean;
}

/** Decodes the blocks of one line until `needed` samples are there. */
function decodeLine(reader: BitReader, line: Uint32Array, needed: number, { bits, blockSamples, isPredicted }: Coding): void {
  const identificationBits = bits > 16 ? 5 : bits > 8 ? 4 : 3;
  const uncompressed = 2 ** identificationBits - 1;
  let at = 0;
  while (at < needed) {
    const identification = reader.bits(identificationBits);
    const isSecondExtension = identification === 0 && reader.bits(1) === 1;
    const end = at + blockSamples;
    if (identification === uncompressed) {
      while (at < end) line[at++] = reader.bits(bits);
      continue;
    }
    const block = at / blockSamples;
    const isFirst = at === 0 && isPredicted;
    if (isFirst) line[at++] = reader.bits(bits);
    if (identification > 0) splitSamples(reader, line, at, end, identification - 1);
    else if (isSecondExtension) secondExtension(reader, line, at, end);
    // Zero blocks: the samples are zero as they are.
    at =
      identification > 0 || isSecondExtension
        ? end
        : (block + zeroBlocks(reader, block, line.length / blockSamples)) * blockSamples;
  }
}

/** A fundamental sequence for each sample, then the low bits of each. */
function splitSamples(reader: BitReader, line: Uint32Array, from: number, end: number, lowBits: number): void {
  for (let at = from; at < end; at++) line[at] = reader.zeros();
  if (lowBits === 0) return;
  for (let at = from; at < end; at++) line[at] = (line[at] as number) * 2 ** lowBits + reader.bits(lowBits);
}

/** Pairs of samples coded as one number: m = (a + b)(a + b + 1) / 2 + b. A reference sample takes the place of the first a. */
function secondExtension(reader: BitReader, line: Uint32Array, from: number, end: number): void {
  let at = from;
  while (at < end) {
    const code = reader.zeros();
    const sum = Math.floor((Math.sqrt(8 * code + 1) - 1) / 2);
    const second = code - (sum * (sum + 1)) / 2;
    if (at % 2 === 0) line[at++] = sum - second;
    line[at++] = second;
  }
}

/** How many blocks of zeros there are from `block` on. */
function zeroBlocks(reader: BitReader, block: number, lineBlocks: number): number {
  const code = reader.zeros() + 1;
  const count =
    code === REST_OF_SEGMENT
      ? Math.min(lineBlocks - block, SEGMENT_BLOCKS - (block % SEGMENT_BLOCKS))
      : code > REST_OF_SEGMENT
        ? code - 1
        : code;
  if (count > lineBlocks - block) throw new FreshetError("malformed", "an szip chunk has too many blocks of zeros");
  return count;
}

/** Samples are differences to the one before, folded into unsigned numbers (CCSDS 121.0-B-3, 4.2). */
function undoPrediction(line: Uint32Array, bits: number): void {
  const largest = 2 ** bits - 1;
  const middle = 2 ** (bits - 1);
  let before = line[0] as number;
  for (let at = 1; at < line.length; at++) {
    const folded = line[at] as number;
    const half = (folded >>> 1) + (folded & 1);
    // Of samples in range, `largest` minus the sample. Damaged data lead out of it: the words are those of libaec then too.
    const mask = (before & middle) === 0 ? 0 : largest;
    const room = (mask ^ before) >>> 0;
    if (half <= room) before = (before + ((folded & 1) === 0 ? folded >>> 1 : -half)) >>> 0;
    else before = (mask ^ folded) >>> 0;
    line[at] = before;
  }
}

function joinPlanes(planes: Uint8Array, width: number): Uint8Array {
  const count = Math.floor(planes.length / width);
  const joined = new Uint8Array(planes.length);
  for (let byte = 0; byte < width; byte++) {
    for (let index = 0; index < count; index++) joined[index * width + byte] = planes[byte * count + index] as number;
  }
  return joined;
}
