import type { FlatTable } from "./flat-table.ts";
import { ID_BYTES, objectName } from "./object-id.ts";
import { notKnown, readStoredFile } from "./stored-file.ts";

/** Fields of `Snapshot`, `ManifestFileInfoV2`, `NodeSnapshot`, `ArrayNodeData` and `ManifestRef` (snapshot.fbs). */
const NODES = 2;
const MANIFEST_FILES = 6;
const MANIFEST_FILES_V2 = 7;
const FILE_ID = 0;
const NODE_TYPE = 3;
const NODE_DATA = 4;
const NODE_MANIFESTS = 2;
const MANIFEST_ID = 0;

/** `ManifestFileInfo`: id, size, count of references, aligned to eight bytes. */
const FILE_INFO_BYTES = 32;
const ARRAY_NODE = 1;
const GROUP_NODE = 2;

/**
 * Names of the manifest files that a snapshot needs: those that it lists, and those that its arrays name.
 * @param uri where the bytes come from, for errors.
 * @throws FreshetError `corrupt`, `unsupported`.
 */
export function manifestsOfSnapshot(bytes: Uint8Array, uri: string): Promise<Set<string>> {
  return readStoredFile(bytes, "snapshot", uri, (snapshot) => {
    const names = new Set<string>();
    for (const info of snapshot.structs(MANIFEST_FILES, FILE_INFO_BYTES)) names.add(objectName(info.subarray(0, ID_BYTES)));
    for (const info of snapshot.tables(MANIFEST_FILES_V2)) names.add(requiredId(info, FILE_ID));
    for (const node of snapshot.tables(NODES)) {
      const type = node.uint8(NODE_TYPE);
      if (type === GROUP_NODE) continue;
      const array = type === ARRAY_NODE ? node.table(NODE_DATA) : undefined;
      if (array === undefined) throw notKnown(`a node of type ${type}`, "an array or a group");
      for (const manifest of array.tables(NODE_MANIFESTS)) names.add(requiredId(manifest, MANIFEST_ID));
    }
    return names;
  });
}

function requiredId(table: FlatTable, slot: number): string {
  const id = table.struct(slot, ID_BYTES);
  if (id === undefined) throw new RangeError("a manifest without an id");
  return objectName(id);
}
