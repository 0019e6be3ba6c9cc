import { isFreshetError } from "../../../src/errors/index.ts";
import type { FormatScan } from "../../../src/formats/format-scan.ts";
import { scanHdf5 } from "../../../src/formats/hdf5/index.ts";
import { scanNetcdf3 } from "../../../src/formats/netcdf3/index.ts";
import { arraysOf } from "../../../src/virtual/index.ts";
import { memoryReader } from "../../storage/memory-reader.ts";

/**
 * Scans hostile bytes. Undefined: the file was refused with an error of ours.
 * @throws what is a fault of ours: another error, an outcome that is not one of three, a reference beyond the file.
 */
export async function scanCase(bytes: Uint8Array, format: "hdf5" | "netcdf3"): Promise<FormatScan | undefined> {
  const reader = memoryReader(bytes);
  let scan: FormatScan;
  try {
    scan = await (format === "hdf5" ? scanHdf5(reader) : scanNetcdf3(reader));
  } catch (error) {
    if (isFreshetError(error, "malformed", "truncated", "unsupported", "unknown-format")) return undefined;
    throw error;
  }
  requireConsistent(scan, bytes.length);
  return scan;
}

function requireConsistent({ root, outcomes }: FormatScan, size: number): void {
  const arrays = new Map(arraysOf(root));
  for (const { path, outcome, reason } of outcomes) {
    if (outcome === "refused" ? reason === "" : !arrays.has(path))
      throw new Error(`${path} is ${outcome}: ${reason || "no reason"}`);
  }
  for (const [path, { manifest, shape, chunkShape, dimensionNames }] of arrays) {
    if (chunkShape.length !== shape.length || dimensionNames.length !== shape.length) throw new Error(`${path}: ranks differ`);
    const cells = shape.reduce((product, length, axis) => product * Math.ceil(length / (chunkShape[axis] as number)), 1);
    if (cells !== manifest.cells) throw new Error(`${path}: ${manifest.cells} cells for a grid of ${cells}`);
    for (let cell = 0; cell < manifest.cells; cell++) {
      const reference = manifest.at(cell);
      if (
        reference.kind === "range" &&
        !(reference.offset >= 0 && reference.length >= 0 && reference.offset + reference.length <= size)
      ) {
        throw new Error(`${path}: a reference to ${reference.offset} + ${reference.length} of ${size}`);
      }
    }
  }
}
