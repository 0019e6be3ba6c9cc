import { readAttributeValue } from "./attribute-value.ts";
import type { StoredAttribute } from "./messages/attribute.ts";
import type { OpenHdf5 } from "./open-hdf5.ts";

/**
 * Attributes by which HDF5's dimension scales and the netCDF-4 library keep their books. They say how the file is organised,
 * and nothing about the data: they are read here, and not handed on.
 */
export const BOOKKEEPING: ReadonlySet<string> = new Set([
  "CLASS",
  "NAME",
  "DIMENSION_LIST",
  "REFERENCE_LIST",
  "_Netcdf4Dimid",
  "_Netcdf4Coordinates",
  "_nc3_strict",
  "_NCProperties",
]);

/** What a dataset's bookkeeping says. */
export interface Bookkeeping {
  readonly isScale: boolean;
  /** A netCDF dimension that has no values: its dataset is no variable. */
  readonly isDimensionOnly: boolean;
  /** The netCDF identification of the dimension that this scale is. */
  readonly dimensionId: number | undefined;
  /** netCDF identifications of this variable's dimensions. */
  readonly dimensionIds: readonly number[] | undefined;
  /** For each axis the addresses of the scales attached to it. */
  readonly scales: readonly (readonly number[])[] | undefined;
}

/** Reads it out of a dataset's attributes. */
export async function readBookkeeping(open: OpenHdf5, attributes: ReadonlyMap<string, StoredAttribute>): Promise<Bookkeeping> {
  const isScale = (await textIn(open, attributes.get("CLASS"))) === "DIMENSION_SCALE";
  const name = isScale ? await textIn(open, attributes.get("NAME")) : undefined;
  return {
    isScale,
    isDimensionOnly: name?.startsWith(NOT_A_VARIABLE) ?? false,
    dimensionId: (await integersIn(open, attributes.get("_Netcdf4Dimid")))?.[0],
    dimensionIds: await integersIn(open, attributes.get("_Netcdf4Coordinates")),
    scales: await scalesIn(open, attributes.get("DIMENSION_LIST")),
  };
}

const NOT_A_VARIABLE = "This is a netCDF dimension but not a netCDF variable";

async function textIn(open: OpenHdf5, attribute: StoredAttribute | undefined): Promise<string | undefined> {
  const value = attribute === undefined ? undefined : await readAttributeValue(open, attribute);
  return value?.type === "text" ? value.value : undefined;
}

async function integersIn(open: OpenHdf5, attribute: StoredAttribute | undefined): Promise<readonly number[] | undefined> {
  const value = attribute === undefined ? undefined : await readAttributeValue(open, attribute);
  return value === undefined || value.type === "text" || value.type === "texts" ? undefined : value.value.map(Number);
}

/** DIMENSION_LIST: for each axis a sequence of variable length of references to the scales' object headers. */
async function scalesIn(
  open: OpenHdf5,
  attribute: StoredAttribute | undefined,
): Promise<readonly (readonly number[])[] | undefined> {
  if (attribute?.datatype.class !== "variable-length" || attribute.dataspace.kind === "null") return undefined;
  const base = attribute.datatype.base;
  const { offsetSize } = open.file.superblock;
  if (base.class !== "reference" || base.size !== offsetSize) return undefined;
  const cursor = open.file.cursor(attribute.value, attribute.position);
  const scales: number[][] = [];
  for (let axis = 0; axis < attribute.dataspace.elements; axis++) {
    const references = open.file.cursor(await open.globalHeap.read(cursor, offsetSize), 0);
    const addresses: number[] = [];
    while (references.remaining > 0) {
      const address = open.file.address(references);
      if (address !== undefined) addresses.push(address);
    }
    scales.push(addresses);
  }
  return scales;
}
