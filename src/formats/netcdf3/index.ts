export { readHeader } from "./header.ts";
export { dataEnd } from "./record-layout.ts";
export { scanNetcdf3 } from "./scan-netcdf3.ts";
