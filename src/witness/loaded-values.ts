import { FreshetError } from "../errors/index.ts";
import { readVirtualArray } from "../scan/index.ts";
import type { VirtualArray } from "../virtual/index.ts";

/**
 * Holds the values that a scan carries with it against the elements that another decoder read of the whole array.
 * @throws FreshetError `corrupt` naming the first element that differs.
 */
export async function requireSameValues(
  path: string,
  array: VirtualArray,
  elements: Uint8Array,
  by: string,
  uri: string,
): Promise<void> {
  const ours = await readVirtualArray(array, () => {
    throw new FreshetError("corrupt", "a loaded array refers to its source", { path });
  });
  if (Buffer.compare(ours, elements) === 0) return;
  const count = array.shape.reduce((product, length) => product * length, 1);
  const width = elements.length / count;
  const at = ours.findIndex((byte, index) => byte !== elements[index]);
  const element = Math.floor((at < 0 ? elements.length : at) / width);
  const type = array.dataType.kind === "number" ? array.dataType.name : array.dataType.kind;
  throw disagreement({ path, uri }, by, {
    found: `${shown(type, ours.subarray(element * width, (element + 1) * width))} as element ${element} of ${count}`,
    expected: shown(type, elements.subarray(element * width, (element + 1) * width)),
  });
}

/** The scan and the other decoder do not see the same: one of them is wrong, and no reader must find out which. */
export function disagreement(
  where: { readonly path: string; readonly uri: string },
  by: string,
  facts: { readonly found: string; readonly expected: string },
): FreshetError {
  return new FreshetError("corrupt", `the scan and another decoder, ${by}, do not see the same`, {
    found: facts.found,
    expected: facts.expected,
    ...where,
    remedy: "Report this with the file: a decoder is wrong",
  });
}

/** A number as people write it, with its bytes where it is none that says everything. */
function shown(type: string, element: Uint8Array): string {
  const hex = Buffer.from(element).toString("hex");
  const view = new DataView(element.slice().buffer);
  const value = numberOf(type, view);
  return value === undefined || Number.isNaN(value) ? `bytes ${hex}` : `${Object.is(value, -0) ? "-0" : value}`;
}

function numberOf(type: string, view: DataView): number | bigint | undefined {
  switch (type) {
    case "bool":
    case "uint8":
      return view.getUint8(0);
    case "int8":
      return view.getInt8(0);
    case "int16":
      return view.getInt16(0, true);
    case "uint16":
      return view.getUint16(0, true);
    case "int32":
      return view.getInt32(0, true);
    case "uint32":
      return view.getUint32(0, true);
    case "int64":
      return view.getBigInt64(0, true);
    case "uint64":
      return view.getBigUint64(0, true);
    case "float32":
      return view.getFloat32(0, true);
    case "float64":
      return view.getFloat64(0, true);
    default:
      return undefined;
  }
}
