import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readFrom, type Sample, type Samples, type Scan, scan } from "../../src/scan/index.ts";
import { openFileReader, type RangeReader } from "../../src/storage/index.ts";
import { arraysOf, type VirtualArray, type VirtualGroup } from "../../src/virtual/index.ts";
import { hashOfVirtualChunk, takeSamples } from "../../src/witness/index.ts";

export const data = (name: string): string => fileURLToPath(new URL(`../data/${name}`, import.meta.url));
export const OSTIA = data("netcdf3/20170605120000-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc");
export const MOGREPS = data("netcdf4/20170602T0300Z-PT0012H-temperature_at_screen_level.nc");

/** Real files outside the repository, where they are. */
export const SHARED = fileURLToPath(new URL("../../../shared/data", import.meta.url));
export const missingShared = (): string | false => (existsSync(SHARED) ? false : "the folder of real files is not there");

/** Every file below a folder that may be NetCDF or HDF5, in the order of names. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder)
    .toSorted()
    .flatMap((name) => {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) return filesBelow(path);
      return /\.(nc|nc4|h5|hdf5|he5)$/.test(name) ? [path] : [];
    });
}

export async function withFile<Result>(path: string, use: (reader: RangeReader) => Promise<Result>): Promise<Result> {
  const reader = await openFileReader(path);
  try {
    return await use(reader);
  } finally {
    await reader.close();
  }
}

export async function scanned(reader: RangeReader): Promise<{ readonly found: Scan; readonly samples: Samples }> {
  const found = await scan(reader);
  return { found, samples: await takeSamples(reader, found) };
}

export function arrayAt(found: Scan, path: string): VirtualArray {
  const array = new Map(arraysOf(found.root)).get(path);
  if (array === undefined) throw new Error(`the scan has no ${path}`);
  return array;
}

/** The sample as the scan's own references give it. */
export function throughReferences(found: Scan, { path, index, extent }: Sample, reader: RangeReader): Promise<string> {
  return hashOfVirtualChunk(path, arrayAt(found, path), index, extent, readFrom(reader));
}

/** The scan with one of its arrays changed. */
export function withArray(found: Scan, path: string, change: (array: VirtualArray) => VirtualArray): Scan {
  const inGroup = (group: VirtualGroup, prefix: string): VirtualGroup => ({
    ...group,
    arrays: new Map([...group.arrays].map(([name, array]) => [name, `${prefix}/${name}` === path ? change(array) : array])),
    groups: new Map([...group.groups].map(([name, child]) => [name, inGroup(child, `${prefix}/${name}`)])),
  });
  arrayAt(found, path);
  return { ...found, root: inGroup(found.root, "") };
}
