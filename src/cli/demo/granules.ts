import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { FreshetError } from "../../errors/index.ts";

/** A real granule that the demo's agency has. */
export interface AgencyGranule {
  readonly dataset: DatasetName;
  /** The day that it is of, for people. */
  readonly day: string;
  /** Its file name, with which it is published. */
  readonly name: string;
  /** Where it, or what it is made of, lies in the repository. */
  readonly origin: string;
}

export type DatasetName = "ostia" | "mogreps-uk";

/** The demo's datasets, and the variable that people want to see. */
export const DEMO_DATASETS: readonly { readonly name: DatasetName; readonly variable: string }[] = [
  { name: "ostia", variable: "analysed_sst" },
  { name: "mogreps-uk", variable: "air_temperature" },
];

/** Consecutive days of OSTIA and of MOGREPS-UK; test/data/README.md says where they come from. */
export const AGENCY_GRANULES: readonly AgencyGranule[] = [
  ...["2017-06-05", "2017-06-06", "2017-06-07"].map((day) =>
    granule("ostia", day, "netcdf3", `${compact(day)}120000-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc`),
  ),
  // Made of the day before, with a mistake.
  {
    ...granule("ostia", "2017-06-07", "netcdf3", "20170607120000-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc"),
    day: "2017-06-08",
    name: "20170608120000-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc",
  },
  ...["2017-06-02", "2017-06-03", "2017-06-04"].map((day) =>
    granule("mogreps-uk", day, "netcdf4", `${compact(day)}T0300Z-PT0012H-temperature_at_screen_level.nc`),
  ),
];

/** @throws FreshetError `usage` when this copy of Freshet comes without them. */
export function checkGranulesAreThere(): void {
  const absent = AGENCY_GRANULES.find(({ origin }) => !existsSync(origin));
  if (absent === undefined) return;
  throw new FreshetError("usage", "the demo's granules are not there", {
    found: "no such file",
    path: absent.origin,
    remedy: "Run the demo in a full clone of the repository",
  });
}

function granule(dataset: DatasetName, day: string, folder: string, name: string): AgencyGranule {
  return { dataset, day, name, origin: fileURLToPath(new URL(`../../../test/data/${folder}/${name}`, import.meta.url)) };
}

function compact(day: string): string {
  return day.replaceAll("-", "");
}
