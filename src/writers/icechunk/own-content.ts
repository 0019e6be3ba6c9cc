import type { Store } from "@earthmover/icechunk";
import { FreshetError } from "../../errors/index.ts";
import { IcechunkStore } from "./icechunk-store.ts";

/**
 * What a version itself keeps: reading a chunk that is a reference throws an error that `isOfReference` knows, and asks no source.
 * @throws FreshetError `storage` where there is no store; and as `IcechunkStore.reader` does.
 */
export async function ownContent({ folder }: IcechunkStore, version: string): Promise<Store> {
  // How manifests are split matters to writers alone.
  const store = await IcechunkStore.open({ folder, prefixes: [], split: { dimension: "", chunks: 1 } });
  if (store === undefined) throw new FreshetError("storage", "there is no Icechunk store", { path: folder });
  return store.reader(version);
}

/** True for the error with which Icechunk 2 refuses references of a repository that was opened without leave to follow them. */
export function isOfReference(error: unknown): boolean {
  return error instanceof Error && error.message.includes("you need to authorize the virtual chunk container");
}
