import { fileURLToPath } from "node:url";

/** A real granule of the repository. */
export interface RealGranule {
  readonly name: string;
  readonly path: string;
  readonly key: string;
}

const data = (path: string): string => fileURLToPath(new URL(`../data/${path}`, import.meta.url));

/** OSTIA, 5 to 7 June 2017, NetCDF3: one step each. */
export const OSTIA: readonly RealGranule[] = ["05", "06", "07"].map((day) => {
  const name = `201706${day}120000-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc`;
  return { name, path: data(`netcdf3/${name}`), key: `201706${day}T120000Z` };
});

/** MOGREPS-UK, 2 to 4 June 2017, NetCDF4: a scalar time each. */
export const MOGREPS: readonly RealGranule[] = ["02", "03", "04"].map((day) => {
  const name = `201706${day}T0300Z-PT0012H-temperature_at_screen_level.nc`;
  return { name, path: data(`netcdf4/${name}`), key: `201706${day}T030000Z,012h` };
});

/** Dataset documents for both, reading in place from a place that ends in `/`. */
export function datasetYaml(options: {
  readonly at: string;
  readonly home: string;
  readonly mirror?: boolean;
  readonly more?: string;
}): string {
  const mirror = options.mirror === true ? `, mirror: "${options.home}/mirror"` : "";
  const common = `publish: { coalesce: 50ms }\nawait: { deadline: 60s, every: 500ms }\n${options.more ?? ""}`;
  return `
sources:
  agency: { at: "${options.at}"${mirror} }
---
name: ostia
from: { source: agency }
match: "{valid:%Y%m%d%H%M%S}-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc"
products:
  - timeseries: { calendar: { every: 1d, at: "12:00Z" }, store: "${options.home}/stores/ostia" }
${common}
---
name: mogreps-uk
from: { source: agency }
match: "{run:%Y%m%dT%H%MZ}-PT{lead:4h}H-temperature_at_screen_level.nc"
products:
  - timeseries: { calendar: { every: 1d, at: "15:00Z" }, store: "${options.home}/stores/mogreps-uk" }
${common}
`;
}
