import { FreshetError, isFreshetError } from "../errors/index.ts";
import { readSuperblock } from "../formats/hdf5/index.ts";
import { dataEnd, readHeader } from "../formats/netcdf3/index.ts";
import type { RangeReader } from "../storage/index.ts";

const NETCDF3_VERSIONS = [1, 2, 5];
/** What stands behind the last message of a GRIB file is little: padding, a line's end. */
const GRIB_TAIL = 64;

/**
 * Looks whether a file is as long as its own first bytes say: HDF5 by the end-of-file address of its superblock, NetCDF classic by its header,
 * GRIB by the `7777` at its end. A file of another format, or one that is broken in another way, passes: that is for the scan to say.
 * @throws FreshetError `source-missing` for a file that is not there in full, and what reading throws.
 */
export async function requireWholeFile(reader: RangeReader, signal?: AbortSignal): Promise<void> {
  const bytes = Buffer.from(await reader.read(0, Math.min(8, reader.size), signal));
  const head = bytes.toString("latin1");
  if (head.startsWith("\x89HDF")) await truncationIsAbsence(() => readSuperblock(reader, signal));
  else if (head.startsWith("CDF") && NETCDF3_VERSIONS.includes(bytes[3] ?? 0))
    await truncationIsAbsence(() => requireWholeNetcdf3(reader, signal));
  else if (head.startsWith("GRIB")) await requireGribEnd(reader, signal);
}

async function truncationIsAbsence(look: () => Promise<unknown>): Promise<void> {
  try {
    await look();
  } catch (error) {
    if (isFreshetError(error, "truncated")) throw absent(error.facts.found ?? "less", error.facts.expected ?? "more", error);
    if (!isFreshetError(error, "malformed", "unsupported", "unknown-format")) throw error;
  }
}

async function requireWholeNetcdf3(reader: RangeReader, signal: AbortSignal | undefined): Promise<void> {
  const end = dataEnd(await readHeader(reader, signal), reader.size);
  if (end <= reader.size) return;
  throw new FreshetError("truncated", "the file is shorter than its header says", {
    found: `${reader.size} bytes`,
    expected: `${end} bytes`,
    uri: reader.uri,
  });
}

async function requireGribEnd(reader: RangeReader, signal: AbortSignal | undefined): Promise<void> {
  const length = Math.min(GRIB_TAIL, reader.size);
  const tail = Buffer.from(await reader.read(reader.size - length, length, signal)).toString("latin1");
  if (tail.replaceAll("\0", " ").trimEnd().endsWith("7777")) return;
  throw absent(`${reader.size} bytes without it`, "7777 at the end of the last message", { facts: { uri: reader.uri } });
}

function absent(found: string, expected: string, cause: { readonly facts: { readonly uri?: string | undefined } }): FreshetError {
  return new FreshetError("source-missing", "the file is not there in full: it is still being uploaded, or was cut", {
    found,
    expected,
    uri: cause.facts.uri,
    ...(cause instanceof Error ? { cause } : {}),
  });
}
