export { isParquetForm, type KerchunkParquetOptions, kerchunkParquet, type WrittenParquet } from "./kerchunk-parquet.ts";
