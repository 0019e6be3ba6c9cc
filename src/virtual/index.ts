export { type Attributes, type AttributeValue, sameAttribute, textAttribute, textOf } from "./attributes.ts";
export { ChunkManifest, ChunkManifestBuilder, type ChunkReference, chunkGrid, indexOfCell } from "./chunk-manifest.ts";
export {
  type DataType,
  describeDataType,
  type Endian,
  elementSize,
  type NumericType,
  numeric,
  type StructField,
} from "./data-type.ts";
export {
  arraysOf,
  countReferences,
  type FillValue,
  type Outcome,
  type VariableOutcome,
  type VirtualArray,
  type VirtualGroup,
  withArrays,
} from "./virtual-group.ts";
