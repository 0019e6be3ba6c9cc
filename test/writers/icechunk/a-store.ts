import { IcechunkStore, type StoreChange } from "../../../src/writers/icechunk/index.ts";

/** A store whose references may lie under `prefixes`. */
export function storeIn(folder: string, prefixes: readonly string[] = ["file:///nowhere/"]): Promise<IcechunkStore> {
  return IcechunkStore.openOrCreate({ folder, prefixes, split: { dimension: "time", chunks: 100 } });
}

/** A change that writes nothing but the root group, with these attributes. */
export function rootChange(attributes: Record<string, unknown>): StoreChange {
  return {
    groups: [{ path: "/", metadata: JSON.stringify({ zarr_format: 3, node_type: "group", attributes }) }],
    arrays: [],
  };
}
