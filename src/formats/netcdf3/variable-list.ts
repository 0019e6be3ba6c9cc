import type { Attributes } from "../../virtual/index.ts";
import { readAttributeList } from "./attribute-list.ts";
import { type Dimension, quote } from "./dimension-list.ts";
import { type HeaderCursor, LIST_TAGS } from "./header-cursor.ts";
import { type NcType, ncTypeBytes } from "./nc-type.ts";

/**
 * var_list (NetCDF Classic Format Specification): a list with tag NC_VARIABLE of
 *
 *     name
 *     nelems      NON_NEG            rank
 *     dimid       nelems x NON_NEG   slowest first; a record variable has the record dimension first, and only there
 *     vatt_list
 *     nc_type     4 bytes
 *     vsize       NON_NEG            not read: it is redundant, and does not hold the size of a large variable
 *     begin       OFFSET             of the values, or of the first record's
 */
export interface Variable {
  readonly name: string;
  readonly dimensions: readonly Dimension[];
  readonly attributes: Attributes;
  readonly type: NcType;
  /** First dimension is the record dimension. */
  readonly isRecord: boolean;
  /** Bytes of the values, of one record for a record variable, without padding. */
  readonly bytes: number;
  /** As the file says it: not yet compared with the file's size. */
  readonly begin: number;
}

export function readVariableList(cursor: HeaderCursor, dimensions: readonly Dimension[]): Variable[] {
  const count = cursor.list(LIST_TAGS.NC_VARIABLE, "the list of variables", 28);
  const variables: Variable[] = [];
  const names = new Set<string>();
  for (let index = 0; index < count; index++) {
    const variable = readVariable(cursor, dimensions, index);
    if (names.has(variable.name)) throw cursor.malformed("two variables have the same name", quote(variable.name));
    names.add(variable.name);
    variables.push(variable);
  }
  return variables;
}

function readVariable(cursor: HeaderCursor, dimensions: readonly Dimension[], index: number): Variable {
  const name = cursor.name(`the name of variable ${index}`);
  const what = `variable ${quote(name)}`;
  const rank = cursor.nonNegative(`the rank of ${what}`);
  cursor.fits(rank, 4, `the shape of ${what}`);
  const own: Dimension[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const id = cursor.nonNegative(`a dimension id of ${what}`);
    const dimension = dimensions[id];
    if (dimension === undefined)
      throw cursor.malformed(`${what} names a dimension that is not there`, `id ${id}`, `less than ${dimensions.length}`);
    // Which variables have records decides where all the others' records lie: the whole file is in doubt.
    if (dimension.isRecord && axis > 0)
      throw cursor.malformed(`${what} has the record dimension in a wrong place`, `axis ${axis}`, "axis 0");
    own.push(dimension);
  }
  const attributes = readAttributeList(cursor, what);
  const type = cursor.ncType(what);
  cursor.skip(cursor.version === 5 ? 8 : 4);
  const begin = cursor.offset();
  const isRecord = own[0]?.isRecord === true;
  const bytes = own.reduce((product, { length }) => product * (length || 1), ncTypeBytes(type));
  if (!Number.isSafeInteger(bytes)) throw cursor.malformed(`${what} is too large`, `${bytes} bytes`, "at most 2^53 - 1");
  return { name, dimensions: own, attributes, type, isRecord, bytes, begin };
}
