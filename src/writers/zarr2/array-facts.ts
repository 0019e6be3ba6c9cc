import type { VirtualArray } from "../../virtual/index.ts";

/** What Zarr says of an array beside its chunks. */
export type ArrayFacts = Omit<VirtualArray, "name" | "manifest">;
