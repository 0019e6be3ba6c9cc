import { bytesCodec } from "../../codecs/index.ts";
import { type Attributes, ChunkManifestBuilder, chunkGrid, type FillValue, type VirtualArray } from "../../virtual/index.ts";
import type { Header } from "./header.ts";
import { dataTypeOf, type NcType } from "./nc-type.ts";
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

/** The variable by reference: one chunk a record, or one chunk in all. */
export function virtualVariable(variable: Variable, file: FileFacts): VirtualArray {
  const { count, recordBytes } = file.records;
  const shape = variable.dimensions.map(({ isRecord, length }) => (isRecord ? count : length));
  const chunkShape = variable.dimensions.map(({ isRecord, length }) => (isRecord ? 1 : length));
  const manifest = new ChunkManifestBuilder(chunkGrid(shape, chunkShape));
  const chunks = variable.isRecord ? count : 1;
  for (let chunk = 0; chunk < chunks; chunk++)
    manifest.setRange(chunk, file.uri, variable.begin + chunk * recordBytes, variable.bytes);
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
