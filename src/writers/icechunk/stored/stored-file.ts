import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import { FreshetError } from "../../../errors/index.ts";
import { FlatTable } from "./flat-table.ts";

const MAGIC = Buffer.from("ICE🧊CHUNK");
const SPEC_VERSION_AT = MAGIC.length + 24;
const TYPE_AT = SPEC_VERSION_AT + 1;
const COMPRESSION_AT = TYPE_AT + 1;
const HEADER_BYTES = COMPRESSION_AT + 1;

/** What a file of Icechunk is, by the byte in its header. */
const TYPES = { snapshot: 1, manifest: 2, "repository info": 6 } as const;
export type StoredFileType = keyof typeof TYPES;

/** The versions of the format whose schemas these readers know. */
const KNOWN_VERSIONS: readonly number[] = [1, 2];

/** A manifest of three million references decodes to this (85 bytes each, measured); Freshet's own hold some thousands. */
const MAX_DECODED_BYTES = 256 * 1024 ** 2;

const decompress = promisify(zstdDecompress);

/**
 * Reads a file of an Icechunk repository: a header of 39 bytes (magic, the name of the program, version of the format, type,
 * compression), then a FlatBuffers message, mostly compressed by zstd (Icechunk specification, "File layout").
 * @param read what to make of the message; a RangeError in it means that the message is broken.
 * @throws FreshetError `unsupported` for a version of the format or a compression that is not known, `corrupt` for what is no such
 * file or is broken.
 */
export async function readStoredFile<T>(
  bytes: Uint8Array,
  type: StoredFileType,
  uri: string,
  read: (root: FlatTable) => T,
): Promise<T> {
  const broken = (found: string, cause?: unknown): FreshetError =>
    new FreshetError("corrupt", "a file of the store is broken", { found, expected: `an Icechunk ${type}`, uri, cause });
  if (bytes.length < HEADER_BYTES || !MAGIC.equals(bytes.subarray(0, MAGIC.length))) throw broken("other bytes");
  const version = bytes[SPEC_VERSION_AT] as number;
  if (!KNOWN_VERSIONS.includes(version)) throw notKnown(`version ${version} of its format`, KNOWN_VERSIONS.join(" or "), uri);
  if (bytes[TYPE_AT] !== TYPES[type]) throw broken(`a file of type ${bytes[TYPE_AT]}`);
  const body = bytes.subarray(HEADER_BYTES);
  try {
    switch (bytes[COMPRESSION_AT]) {
      case 0:
        return read(FlatTable.root(body));
      case 1:
        return read(FlatTable.root(await decompress(body, { maxOutputLength: MAX_DECODED_BYTES })));
      default:
        throw notKnown(`compression ${bytes[COMPRESSION_AT]}`, "0 or 1", uri);
    }
  } catch (error) {
    if (error instanceof FreshetError) throw error.at({ uri });
    throw broken((error as Error).message, error);
  }
}

/** The error for something in a file that a later Icechunk may have put there. */
export function notKnown(found: string, expected: string, uri?: string): FreshetError {
  return new FreshetError("unsupported", "the store is in a form that this version of Freshet does not know", {
    found,
    expected,
    uri,
    remedy: "Use a newer version of Freshet",
  });
}
