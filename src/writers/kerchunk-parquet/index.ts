export { type FormFiles, folderFiles } from "./form-files.ts";
export { isParquetForm, type KerchunkParquetOptions, kerchunkParquet, type WrittenParquet } from "./kerchunk-parquet.ts";
