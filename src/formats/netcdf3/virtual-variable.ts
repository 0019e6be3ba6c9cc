import { bytesCodec } from "../../codecs/index.ts";
import { type Attributes, ChunkManifestBuilder, chunkGrid, type FillValue, type VirtualArray } from "../../virtual/index.ts";
import { subdivide } from "../subdivision.ts";
import type { Header } from "./header.ts";
import { dataTypeOf, type NcType, ncTypeBytes } from "./nc-type.ts";
import type { RecordLayout } from "./record-layout.ts";
import type { Variable } from "./variable-list.ts";

/** What a variable's place is judged by. */
export interface FileFacts {
  readonly uri: string;
  readonly size: number;
  readonly header: Header;
  readonly records: RecordLayout;
}

/**
 * Why a variable cannot be referenced, or undefined. The header may be right and the bytes not there: then this variable is
 * lost, and no other.
 */
export function refusalOf(variable: Variable, file: FileFacts): string | undefined {
  if (variable.name === "" || variable.name.includes("/")) return "its name is empty or contains /";
  const count = variable.isRecord ? file.records.count : 1;
  if (count === 0) return undefined;
  if (variable.begin < file.header.length)
    return `it begins at byte ${variable.begin}, inside the header of ${file.header.length} bytes`;
  const end = variable.begin + (count - 1) * file.records.recordBytes + variable.bytes;
  if (end <= file.size) return undefined;
  return `its values lie in bytes ${variable.begin} to ${end}, but the file ends at ${file.size}`;
}

/** How a variable is cut into chunks: none larger than a record, each in one piece. */
export interface Chunking {
  readonly shape: readonly number[];
  readonly chunkShape: readonly number[];
  /** Chunks in all. */
  readonly chunks: number;
  /** Chunks of one record, or of the whole where there are no records. */
  readonly perPiece: number;
}

/** One chunk a record, or one chunk in all; cut further where that has more than `chunkBytes`. */
export function chunkingOf(variable: Variable, file: FileFacts, chunkBytes: number): Chunking {
  const { count } = file.records;
  const shape = variable.dimensions.map(({ isRecord, length }) => (isRecord ? count : length));
  const piece = variable.isRecord ? shape.slice(1) : shape;
  const cut = subdivide(piece, ncTypeBytes(variable.type), chunkBytes);
  const perPiece = cut.reduce((product, length, axis) => (product * (piece[axis] as number)) / length, 1);
  return {
    shape,
    chunkShape: variable.isRecord ? [1, ...cut] : cut,
    chunks: perPiece * (variable.isRecord ? count : 1),
    perPiece,
  };
}

/** The variable by reference. */
export function virtualVariable(variable: Variable, file: FileFacts, chunking: Chunking): VirtualArray {
  const { shape, chunkShape, chunks, perPiece } = chunking;
  const manifest = new ChunkManifestBuilder(chunkGrid(shape, chunkShape));
  const length = variable.bytes / perPiece;
  for (let chunk = 0; chunk < chunks; chunk++) {
    const record = Math.floor(chunk / perPiece);
    const offset = variable.begin + record * file.records.recordBytes + (chunk % perPiece) * length;
    manifest.setRange(chunk, file.uri, offset, length);
  }
  return {
    name: variable.name,
    shape,
    chunkShape,
    dimensionNames: variable.dimensions.map(({ name }) => name),
    dataType: dataTypeOf(variable.type),
    codecs: [bytesCodec("big")],
    fillValue: storageFill(variable.attributes, variable.type),
    attributes: variable.attributes,
    manifest: manifest.build(),
  };
}

/**
 * Every value of a NetCDF classic variable is in the file, so the storage fill is read by nobody; but Zarr v2 has one field
 * for it and for the mask, and a reader that takes it as the mask must find exactly the file's `_FillValue`: with it where
 * the file has one of the variable's type, with none (null) where it has not.
 */
function storageFill(attributes: Attributes, type: NcType): FillValue {
  const attribute = attributes.get("_FillValue");
  if (attribute === undefined) return null;
  if (attribute.type === "text") {
    const bytes = new TextEncoder().encode(attribute.value);
    return type === "char" && bytes.length === 1 ? bytes : null;
  }
  if (attribute.type !== type || attribute.value.length !== 1) return null;
  return attribute.value[0] as number | bigint;
}
