import { FreshetError } from "../../errors/index.ts";
import { type DataType, type Endian, numeric, type StructField } from "../../virtual/index.ts";
import { type ElementReader, elementReader, isWhole } from "./element-reader.ts";
import type { CompoundType, Datatype } from "./messages/datatype.ts";

/** An HDF5 type as Zarr sees it. */
export interface ElementType {
  readonly dataType: DataType;
  readonly endian: Endian;
  /** Dimensions that an array type adds behind those of the dataset. */
  readonly innerShape: readonly number[];
  /** Set where the stored numbers have another form than `dataType`: they have to be read one by one. */
  readonly converted?: Conversion;
}

/** Numbers that become those of a Zarr type. */
export interface Conversion {
  /** What they are: `floats of 4 bytes that are not IEEE 754`. */
  readonly from: string;
  /** Bytes of one as it is stored. */
  readonly size: number;
  readonly reader: ElementReader;
}

/** The type of a dataset's elements. @throws FreshetError `unsupported` with the reason why Zarr cannot read it in place. */
export function elementTypeOf(datatype: Datatype): ElementType {
  switch (datatype.class) {
    case "integer":
    case "bitfield":
    case "enum":
      return wholeNumber(datatype);
    case "float":
      return floatingPoint(datatype);
    case "string":
      return plain({ kind: "fixed-string", length: datatype.size });
    case "opaque":
      // h5py keeps numpy's dates in opaque bytes; as bytes they would read without an error and mean nothing.
      if (datatype.tag.startsWith("NUMPY:")) return refuse(`${datatype.tag.slice(6)} of numpy in opaque bytes`);
      return plain({ kind: "opaque", length: datatype.size });
    case "compound":
      return complexOf(datatype) ?? plain({ kind: "struct", size: datatype.size, fields: fieldsOf(datatype) });
    case "complex":
      return complexNumber(datatype.base, datatype.size) ?? refuse(`complex number of ${datatype.size} bytes`);
    case "array": {
      const base = elementTypeOf(datatype.base);
      if (base.innerShape.length > 0) return refuse("arrays of arrays");
      if (base.dataType.kind === "string") return refuse("arrays of text of variable length");
      return { ...base, innerShape: datatype.shape };
    }
    case "variable-length":
      if (datatype.text) return plain({ kind: "string" });
      return refuse("sequences of variable length");
    case "reference":
      return refuse(datatype.target === "region" ? "references to regions" : "references to objects");
    case "time":
      return refuse("the HDF5 time type");
  }
}

function plain(dataType: DataType, endian: Endian = "little"): ElementType {
  return { dataType, endian, innerShape: [] };
}

function refuse(what: string): never {
  throw new FreshetError("unsupported", `Zarr has no type for ${what}`);
}

function wholeNumber(datatype: Datatype): ElementType {
  const stored = datatype.class === "enum" ? datatype.base : datatype;
  const reader = elementReader(datatype);
  if (stored.class === "integer" && !isWhole(stored)) {
    return converted(reader, stored.size, `integers of ${stored.precision} bits in ${stored.size} bytes`);
  }
  if (reader === undefined) return refuse(`integers of ${datatype.size} bytes`);
  return plain(numeric(reader.type), reader.endian);
}

function floatingPoint(datatype: Datatype & { readonly class: "float" }): ElementType {
  const reader = elementReader(datatype);
  if (reader !== undefined && datatype.ieee && datatype.endian !== "vax") return plain(numeric(reader.type), reader.endian);
  const what = datatype.endian === "vax" ? "VAX floats" : `floats of ${datatype.size} bytes that are not IEEE 754`;
  return converted(reader, datatype.size, what);
}

function converted(reader: ElementReader | undefined, size: number, from: string): ElementType {
  if (reader === undefined) return refuse(from);
  return { ...plain(numeric(reader.type)), converted: { from, size, reader } };
}

/** HDF5's habit for complex numbers: a compound of r and i (or real and imag), both the same float, and nothing else. */
function complexOf(datatype: CompoundType): ElementType | undefined {
  const [real, imaginary] = datatype.members;
  if (real === undefined || imaginary === undefined || datatype.members.length !== 2) return undefined;
  const named = COMPLEX_NAMES.has(`${real.name} ${imaginary.name}`);
  if (!named || real.offset !== 0 || imaginary.offset !== real.type.size) return undefined;
  if (JSON.stringify(real.type) !== JSON.stringify(imaginary.type)) return undefined;
  return complexNumber(real.type, datatype.size);
}

const COMPLEX_NAMES: ReadonlySet<string> = new Set(["r i", "real imag"]);

function complexNumber(part: Datatype, size: number): ElementType | undefined {
  if (part.class !== "float" || !part.ieee || size !== 2 * part.size) return undefined;
  const reader = elementReader(part);
  if (reader?.type === "float32") return plain(numeric("complex64"), reader.endian);
  if (reader?.type === "float64") return plain(numeric("complex128"), reader.endian);
  return undefined;
}

function fieldsOf(datatype: CompoundType): readonly StructField[] {
  return datatype.members.map(({ name, offset, type }) => {
    const element = elementTypeOf(type);
    if (element.dataType.kind === "string") return refuse(`compounds with text of variable length (${name})`);
    // zarr-python, zarrita and GDAL know structs of plain fields only, though Zarr v2 could write down more.
    if (element.innerShape.length > 0) return refuse(`compounds with arrays in them (${name})`);
    if (element.converted !== undefined) return refuse(`compounds with ${element.converted.from} (${name})`);
    return { name, offset, type: element.dataType, endian: element.endian, shape: [] };
  });
}
