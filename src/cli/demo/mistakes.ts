import { NetCDFReader } from "netcdfjs";

/** What the demo's agency does to a file before it publishes it, by the name of the mistake. */
export type Mistake = "truncated" | "recalibrated" | "rescaled";

/** The file with the mistake in it. `recalibrated` and `rescaled` are for OSTIA's NetCDF-3 files. */
export function withMistake(bytes: Uint8Array, mistake: Mistake): Uint8Array {
  switch (mistake) {
    case "truncated":
      return bytes.slice(0, Math.floor(bytes.length / 2));
    case "recalibrated":
      return recalibrated(bytes);
    case "rescaled":
      return rescaled(bytes);
  }
}

const VARIABLE = "analysed_sst";
const FILL = -32_768;
/** In hundredths of a kelvin. */
const CORRECTION = 50;
const DAY_SECONDS = 86_400;

/** Half a kelvin warmer everywhere: a file as an agency replaces it when it has found an error. */
function recalibrated(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  const { offset, size } = variable(copy, VARIABLE);
  for (let at = offset; at < offset + size; at += 2) {
    const value = view.getInt16(at);
    if (value !== FILL) view.setInt16(at, value + CORRECTION);
  }
  return copy;
}

/** The next day's file, packed with twice the scale: the same integers mean other temperatures. */
function rescaled(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  const time = variable(copy, "time").offset;
  view.setInt32(time, view.getInt32(time) + DAY_SECONDS);
  const header = Buffer.from(copy.buffer, 0, 16_384);
  // In a NetCDF-3 header an attribute's value follows its name, its type and the number of its values, four bytes each.
  const scale = header.indexOf("scale_factor", header.indexOf(VARIABLE)) + "scale_factor".length + 8;
  view.setFloat32(scale, view.getFloat32(scale) * 2);
  return copy;
}

function variable(bytes: Uint8Array, name: string): { readonly offset: number; readonly size: number } {
  const found = new NetCDFReader(bytes).variables.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`the demo's granule has no ${name}`);
  return found;
}
