import { readFile } from "node:fs/promises";
import * as zarr from "zarrita";
import { registerCodecs } from "../../src/scan/index.ts";
import { runPython } from "./python.ts";

/** The references of a kerchunk JSON document. */
export interface Refs {
  readonly [key: string]: string | readonly [string, number, number];
}
export const refsOf = async (place: string): Promise<Refs> => JSON.parse(await readFile(place, "utf8")).refs;

/** What zarrita reads of an array through JSON references whose chunks are local files. */
export async function throughZarrita(place: string, name: string): Promise<number[]> {
  registerCodecs();
  const refs = await refsOf(place);
  const get = async (key: string): Promise<Uint8Array | undefined> => {
    const value = refs[key.slice(1)];
    if (value === undefined) return undefined;
    if (typeof value === "string")
      return Buffer.from(value.replace(/^base64:/, ""), value.startsWith("base64:") ? "base64" : "utf8");
    const [uri, offset, length] = value;
    // A copy begins where elements may.
    return Uint8Array.from((await readFile(uri.slice("file://".length))).subarray(offset, offset + length));
  };
  const array = await zarr.open.v2(zarr.root({ get } as zarr.AsyncReadable).resolve(name), { kind: "array" });
  return Array.from((await zarr.get(array)).data as Iterable<number | bigint>, Number);
}

/** What GDAL reads of an array through kerchunk references. */
export async function throughGdal(place: string, name: string): Promise<number[]> {
  const output = await runPython("gdal_values.py", [place, name], {});
  // Python's JSON has NaN.
  const values = JSON.parse(output.replaceAll("NaN", "null"));
  return values[name].flat(Number.POSITIVE_INFINITY).map((value: number | null) => value ?? Number.NaN);
}
