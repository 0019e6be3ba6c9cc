import { ID_BYTES, objectName } from "./object-id.ts";
import { notKnown, readStoredFile } from "./stored-file.ts";

/** Fields of `Repo`, `Ref` and `SnapshotInfo` (repo.fbs). */
const SPEC_VERSION = 0;
const TAGS = 1;
const BRANCHES = 2;
const SNAPSHOTS = 4;
const NAME = 0;
const SNAPSHOT_INDEX = 1;
const ID = 0;
const PARENT = 1;
const FLUSHED_AT = 2;
const MESSAGE = 3;

/** A snapshot as the repository's list tells of it. */
export interface SnapshotEntry {
  readonly id: string;
  /** Place of its parent in the list; -1 for the empty one that a repository begins with. */
  readonly parent: number;
  /** Milliseconds since 1970. */
  readonly writtenMs: number;
  readonly message: string;
}

/** The one object of a repository that changes (Icechunk specification, "Repository info"), as of one moment. */
export interface RepositoryInfo {
  readonly snapshots: readonly SnapshotEntry[];
  /** By name; the values are places in `snapshots`. */
  readonly branches: ReadonlyMap<string, number>;
  readonly tags: ReadonlyMap<string, number>;
}

/**
 * Reads the repository's info.
 * @param uri where the bytes come from, for errors.
 * @throws FreshetError `corrupt`, `unsupported`.
 */
export function readRepositoryInfo(bytes: Uint8Array, uri: string): Promise<RepositoryInfo> {
  return readStoredFile(bytes, "repository info", uri, (repo) => {
    const version = repo.uint8(SPEC_VERSION);
    if (version !== 2) throw notKnown(`version ${version} of its format`, "2");
    const snapshots = repo.tables(SNAPSHOTS).map((info): SnapshotEntry => {
      const id = info.struct(ID, ID_BYTES);
      if (id === undefined) throw new RangeError("a snapshot without an id");
      return {
        id: objectName(id),
        parent: info.int32(PARENT),
        writtenMs: Number(info.uint64(FLUSHED_AT) / 1000n),
        message: info.text(MESSAGE) ?? "",
      };
    });
    const list = [...snapshots];
    const heads = (slot: number): Map<string, number> =>
      new Map(
        repo.tables(slot).map((ref): [string, number] => {
          const at = ref.uint32(SNAPSHOT_INDEX);
          if (at >= list.length) throw new RangeError(`a name for snapshot ${at} of ${list.length}`);
          return [ref.text(NAME) ?? "", at];
        }),
      );
    return { snapshots: list, branches: heads(BRANCHES), tags: heads(TAGS) };
  });
}

/** A snapshot and those it was made from, the youngest first. A list that leads in a circle ends after its own length. */
export function* ancestryIn({ snapshots }: RepositoryInfo, from: number): Generator<SnapshotEntry> {
  let left = snapshots.length;
  for (let entry = snapshots[from]; entry !== undefined && left > 0; entry = snapshots[entry.parent], left--) yield entry;
}
