export { scanHdf5 } from "./scan-hdf5.ts";
export { readSuperblock } from "./superblock.ts";
