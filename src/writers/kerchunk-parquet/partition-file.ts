import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { type CompressionCodec, parquetRead } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { FreshetError, isFreshetError } from "../../errors/index.ts";
import { Partition } from "./partition.ts";

/** As kerchunk has it. */
const CODEC: CompressionCodec = "ZSTD";
const decompress = (input: Uint8Array, length: number): Uint8Array =>
  zstdDecompressSync(input, { maxOutputLength: Math.max(1, length) });

/**
 * `refs.<n>.parq` as fsspec's LazyReferenceMapper reads it: the columns `path` (text or null), `offset`, `size` (int64) and `raw`
 * (bytes or null), a row for each cell; both null is a missing chunk. Rows behind the array's last cell are missing ones. Paths
 * are a dictionary always: of other texts pandas 3 makes NaN where there is none, which fsspec does not take for a missing chunk
 * (LazyReferenceMapper asks for None). `offset` and `size` have statistics: without a count of nulls fastparquet reads them as floats.
 */
export function encodePartition(partition: Partition): Uint8Array {
  const { records } = partition;
  const path: (string | null)[] = new Array(records).fill(null);
  const raw: (Uint8Array | null)[] = new Array(records).fill(null);
  const offset = new BigInt64Array(records);
  const size = new BigInt64Array(records);
  for (let row = 0; row < records; row++) {
    const reference = partition.at(row);
    if (reference.kind === "inline") raw[row] = reference.bytes;
    if (reference.kind !== "range") continue;
    path[row] = reference.uri;
    offset[row] = BigInt(reference.offset);
    size[row] = BigInt(reference.length);
  }
  const bytes = parquetWriteBuffer({
    columnData: [
      { name: "path", data: path, type: "STRING", nullable: true, statistics: false, encoding: "RLE_DICTIONARY" },
      { name: "offset", data: offset, type: "INT64", nullable: false, statistics: true },
      { name: "size", data: size, type: "INT64", nullable: false, statistics: true },
      { name: "raw", data: raw, type: "BYTE_ARRAY", nullable: true, statistics: false },
    ],
    rowGroupSize: records,
    codec: CODEC,
    compressors: { [CODEC]: (input: Uint8Array) => zstdCompressSync(input) },
    createdBy: "freshet",
  });
  return new Uint8Array(bytes);
}

/** @throws FreshetError `corrupt` for what `encodePartition` did not write, or not with so many records. */
export async function decodePartition(bytes: Uint8Array, records: number): Promise<Partition> {
  try {
    const partition = new Partition(records);
    let rows: readonly unknown[][] = [];
    await parquetRead({
      file: new Uint8Array(bytes).buffer,
      columns: ["path", "offset", "size", "raw"],
      utf8: false,
      rowEnd: records + 1,
      compressors: { [CODEC]: decompress },
      onComplete: (read) => {
        rows = read;
      },
    });
    if (rows.length !== records)
      throw new FreshetError("corrupt", "a partition of references has another length", {
        found: `${rows.length} rows`,
        expected: `${records}`,
      });
    for (const [row, [path, offset, size, raw]] of rows.entries()) {
      if (raw instanceof Uint8Array) partition.set(row, { kind: "inline", bytes: new Uint8Array(raw) });
      else if (typeof path === "string")
        partition.set(row, { kind: "range", uri: path, offset: Number(offset), length: Number(size) });
    }
    return partition;
  } catch (error) {
    if (isFreshetError(error)) throw error;
    throw new FreshetError("corrupt", "a partition of references cannot be read", {
      found: (error as Error).message,
      cause: error,
    });
  }
}
