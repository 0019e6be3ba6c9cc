export { scanNetcdf3 } from "./scan-netcdf3.ts";
