import { FreshetError } from "../../errors/index.ts";
import type { FillValue } from "../../virtual/index.ts";
import { elementReader } from "./element-reader.ts";
import type { ElementType } from "./element-type.ts";
import type { Datatype } from "./messages/datatype.ts";
import { readFillValue, readOldFillValue, type StoredFill } from "./messages/fill-value.ts";
import { findMessage, MESSAGE, type ObjectHeader } from "./object-header.ts";
import type { OpenHdf5 } from "./open-hdf5.ts";
import { decodeText, withoutPadding } from "./text.ts";

/**
 * What elements that were never written read as: null where the file defines nothing, or nothing but the format's zero.
 * `_FillValue` is another matter: it is an attribute, and stays one.
 */
export async function readStorageFill(
  open: OpenHdf5,
  header: ObjectHeader,
  datatype: Datatype,
  element: ElementType,
): Promise<FillValue> {
  const fill = await readStoredFill(open, header);
  if (fill.kind !== "value") return null;
  if (fill.bytes.length !== datatype.size) {
    throw new FreshetError("malformed", "the fill value is not one element", {
      found: `${fill.bytes.length} bytes`,
      expected: `${datatype.size} bytes`,
    });
  }
  return await decode(open, uniform(datatype, fill.bytes), element);
}

async function readStoredFill(open: OpenHdf5, header: ObjectHeader): Promise<StoredFill> {
  const message = findMessage(header, MESSAGE.fillValue);
  if (message !== undefined) {
    const fill = readFillValue(await open.shared.open(message));
    if (fill.kind !== "default") return fill;
  }
  const old = findMessage(header, MESSAGE.oldFillValue);
  return old === undefined ? { kind: "default" } : readOldFillValue(await open.shared.open(old));
}

/** One element of what an array type repeats. @throws FreshetError `unsupported` where the repeated elements differ. */
function uniform(datatype: Datatype, bytes: Uint8Array): { readonly datatype: Datatype; readonly bytes: Uint8Array } {
  if (datatype.class !== "array") return { datatype, bytes };
  const size = datatype.base.size;
  if (bytes.some((byte, index) => byte !== bytes[index % size])) {
    throw new FreshetError("unsupported", "Zarr has no fill value that differs within an element of an array type");
  }
  return uniform(datatype.base, bytes.subarray(0, size));
}

async function decode(
  open: OpenHdf5,
  stored: { readonly datatype: Datatype; readonly bytes: Uint8Array },
  element: ElementType,
): Promise<FillValue> {
  const { datatype, bytes } = stored;
  switch (element.dataType.kind) {
    case "fixed-string":
    case "opaque":
    case "struct":
      return new Uint8Array(bytes);
    case "string":
      return decodeText(withoutPadding(await open.globalHeap.read(open.file.cursor(bytes, 0), 1), "nul-terminated"));
    case "number": {
      const cursor = open.file.cursor(bytes, 0, element.endian);
      switch (element.dataType.name) {
        case "complex64":
          return [cursor.f32(), cursor.f32()];
        case "complex128":
          return [cursor.f64(), cursor.f64()];
        case "bool":
          return cursor.u8() !== 0;
        default: {
          const reader = elementReader(datatype);
          return reader?.read(open.file.cursor(bytes, 0, reader.endian)) ?? null;
        }
      }
    }
  }
}
