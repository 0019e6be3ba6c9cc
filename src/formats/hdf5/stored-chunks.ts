import type { ChunkManifest } from "../../virtual/index.ts";
import type { Filter } from "./messages/filter-pipeline.ts";

/** Where the stored bytes of a dataset are: in chunks of one shape, each behind filters of its own. */
export interface StoredChunks {
  /** Of the dataset's rank, at least 1 each. */
  readonly chunkShape: readonly number[];
  /** Over the grid of these chunks: ranges of files, or bytes at hand. */
  readonly manifest: ChunkManifest;
  /** What chunks go through unless something is said of them. */
  readonly filters: readonly Filter[];
  /** The filters that present chunks went through, each list once, with the stored bytes of its chunks. */
  readonly pipelines: readonly { readonly filters: readonly Filter[]; readonly bytes: number }[];
  /** One of `pipelines`. */
  readonly filtersOf: (cell: number) => readonly Filter[];
}

/** Chunks that no filter has touched. */
export function unfiltered(chunkShape: readonly number[], manifest: ChunkManifest): StoredChunks {
  const none: readonly Filter[] = [];
  return { chunkShape, manifest, filters: none, pipelines: [{ filters: none, bytes: 0 }], filtersOf: () => none };
}
