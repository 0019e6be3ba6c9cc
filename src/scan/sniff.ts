import { FreshetError } from "../errors/index.ts";
import type { RangeReader } from "../storage/index.ts";

export type Format = "hdf5" | "netcdf3";

const HDF5_SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * The format by its signature, never by the name. HDF5's may also stand at 512, 1024, 2048, … behind a user block (HDF5 File
 * Format Specification, "Superblock").
 * @throws FreshetError `unknown-format` saying what the source looks like instead.
 */
export async function sniffFormat(reader: RangeReader, signal?: AbortSignal): Promise<Format> {
  const head = await reader.read(0, Math.min(reader.size, 512), signal);
  if (startsWith(head, HDF5_SIGNATURE)) return "hdf5";
  if (startsWith(head, "CDF") && [1, 2, 5].includes(head[3] ?? 0)) return "netcdf3";
  for (let offset = 512; offset + HDF5_SIGNATURE.length <= reader.size; offset *= 2) {
    if (startsWith(await reader.read(offset, HDF5_SIGNATURE.length, signal), HDF5_SIGNATURE)) return "hdf5";
  }
  throw new FreshetError("unknown-format", "not a file that can be scanned", {
    found: describeHead(head),
    expected: 'HDF5 or NetCDF4 ("\\x89HDF") or NetCDF classic ("CDF" and version 1, 2 or 5)',
    uri: reader.uri,
  });
}

const OTHERS: readonly (readonly [signature: string | readonly number[], what: string])[] = [
  ["CDF", "NetCDF classic of a version that does not exist"],
  ["\x89HDF", "HDF5 damaged by a transfer in text mode"],
  ["GRIB", "GRIB"],
  ["BUFR", "BUFR"],
  [[0x0e, 0x03, 0x13, 0x01], "HDF4"],
  ["PK\x03\x04", "a ZIP archive"],
  [[0x1f, 0x8b], "gzip"],
  ["BZh", "bzip2"],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], "xz"],
  [[0x28, 0xb5, 0x2f, 0xfd], "zstd"],
  ["II*\0", "TIFF"],
  ["MM\0*", "TIFF"],
  ["\x89PNG", "PNG"],
  ["%PDF", "PDF"],
  ["SIMPLE  =", "FITS"],
];

/** A source's first bytes in words: `a file that starts with "<!DOCTYPE html><htm"…, looks like HTML`. */
export function describeHead(head: Uint8Array): string {
  if (head.length === 0) return "an empty file";
  if (head.every((byte) => byte === 0)) return `${head.length} or more bytes of zero`;
  const start = head.subarray(0, 20);
  const isText = head.every((byte) => byte >= 0x20 || [0x09, 0x0a, 0x0d].includes(byte));
  const shown = isText
    ? `${JSON.stringify(new TextDecoder().decode(start))}${head.length > 20 ? "…" : ""}`
    : Array.from(start.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const known = OTHERS.find(([signature]) => startsWith(head, signature))?.[1];
  const looks = known ?? (isText ? describeText(new TextDecoder().decode(head)) : undefined);
  return `a file that starts with ${shown}${looks === undefined ? "" : `, looks like ${looks}`}`;
}

function describeText(text: string): string {
  if (/^\s*(<!doctype\s+html|<html|<head|<body)/i.test(text)) return "HTML";
  if (/^\s*<\?xml|^\s*<[a-z]/i.test(text)) return "XML";
  if (/^\s*[{[]/.test(text)) return "JSON";
  if (text.startsWith("version https://git-lfs")) return "a Git LFS pointer";
  if (/^netcdf\s/.test(text)) return "CDL, the text form of NetCDF";
  return "text";
}

function startsWith(bytes: Uint8Array, signature: string | readonly number[]): boolean {
  const wanted = typeof signature === "string" ? Array.from(signature, (character) => character.charCodeAt(0)) : signature;
  return bytes.length >= wanted.length && wanted.every((byte, index) => bytes[index] === byte);
}
