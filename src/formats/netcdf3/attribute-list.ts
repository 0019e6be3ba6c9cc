import { type Attributes, type AttributeValue, textAttribute } from "../../virtual/index.ts";
import { quote } from "./dimension-list.ts";
import { decodeText, type HeaderCursor, LIST_TAGS } from "./header-cursor.ts";
import { ncTypeBytes } from "./nc-type.ts";

/**
 * att_list (NetCDF Classic Format Specification): a list with tag NC_ATTRIBUTE of
 *
 *     name
 *     nc_type   4 bytes
 *     nelems    NON_NEG
 *     values    nelems values of the type, padded to a multiple of 4 bytes
 *
 * `owner` names in errors whose attributes they are.
 */
export function readAttributeList(cursor: HeaderCursor, owner: string): Attributes {
  const count = cursor.list(LIST_TAGS.NC_ATTRIBUTE, `the list of attributes of ${owner}`, 12);
  const attributes = new Map<string, AttributeValue>();
  for (let index = 0; index < count; index++) {
    const name = cursor.name(`the name of attribute ${index} of ${owner}`);
    const what = `attribute ${quote(name)} of ${owner}`;
    const type = cursor.ncType(what);
    const length = cursor.nonNegative(`the length of ${what}`);
    cursor.fits(length, ncTypeBytes(type), what);
    const value: AttributeValue =
      type === "char"
        ? textAttribute(decodeText(withoutTrailingNuls(cursor.take(length))))
        : { type, scalar: length === 1, value: cursor.numbers(type, length) };
    cursor.skipPadding(length * ncTypeBytes(type));
    if (attributes.has(name)) throw cursor.malformed(`${owner} has two attributes of the same name`, quote(name));
    attributes.set(name, value);
  }
  return attributes;
}

/** C writers often count the terminating NUL as part of the text. */
function withoutTrailingNuls(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.subarray(0, end);
}
