import type { Store } from "@earthmover/icechunk";
import { FreshetError } from "../../errors/index.ts";
import type { S3Connection } from "../../storage/index.ts";
import { IcechunkStore } from "./icechunk-store.ts";

/**
 * The published version of a store, for zarrita: `zarr.open(zarr.root(await openForReading(folder, prefixes)))`. The store keeps
 * Node running: end with `process.exit()`.
 * @param folder path of the repository.
 * @param prefixes where it may read virtual chunks: `file:///…/`, `https://…/`, `s3://bucket/…/`.
 * @param s3 how those of `s3:` are reached.
 * @throws FreshetError `storage` where there is no store.
 * @public The lines that `freshet` prints for zarrita import it.
 */
export async function openForReading(folder: string, prefixes: readonly string[], s3?: S3Connection): Promise<Store> {
  // How manifests are split matters to writers alone.
  const store = await IcechunkStore.open({ folder, prefixes, s3, split: { dimension: "time", chunks: 1000 } });
  if (store === undefined) throw new FreshetError("storage", "there is no Icechunk store", { path: folder });
  return store.reader(await store.head());
}
