export type { Calendar } from "./calendar.ts";
export type { Dataset, DatasetFile, Policies, Product, Source, TimeseriesProduct } from "./dataset.ts";
export type { SecretReference } from "./secret.ts";
