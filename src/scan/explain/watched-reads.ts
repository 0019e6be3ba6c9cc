import type { RangeReader } from "../../storage/index.ts";
import type { Evidence } from "./evidence.ts";

/** Signatures of HDF5's structures (HDF5 File Format Specification), four letters each. */
const STRUCTURES: Readonly<Record<string, string>> = {
  TREE: "B-tree node, version 1",
  BTHD: "B-tree header, version 2",
  BTIN: "B-tree internal node, version 2",
  BTLF: "B-tree leaf, version 2",
  FAHD: "fixed array header",
  FADB: "fixed array data block",
  EAHD: "extensible array header",
  EAIB: "extensible array index block",
  EASB: "extensible array secondary block",
  EADB: "extensible array data block",
  GCOL: "global heap collection",
  FRHP: "fractal heap header",
  FHDB: "fractal heap direct block",
  FHIB: "fractal heap indirect block",
  OHDR: "object header",
  OCHK: "object header continuation",
};
/** Each structure is told once; of an index with thousands of nodes the first ones are enough to find it with a hex editor. */
const MOST_STRUCTURES = 1_000;

/** A source that writes down which of HDF5's structures are read from it. */
export class WatchedReads implements RangeReader {
  readonly uri: string;
  readonly size: number;
  readonly identity: RangeReader["identity"];
  readonly #reader: RangeReader;
  readonly #met = new Map<number, Evidence>();

  constructor(reader: RangeReader) {
    this.uri = reader.uri;
    this.size = reader.size;
    this.identity = reader.identity;
    this.#reader = reader;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    const bytes = await this.#reader.read(offset, length, signal);
    const structure = STRUCTURES[String.fromCharCode(...bytes.subarray(0, 4))];
    if (structure !== undefined && !this.#met.has(offset) && this.#met.size < MOST_STRUCTURES)
      this.#met.set(offset, { offset, structure, says: saying(structure, bytes) });
    return bytes;
  }

  /** What was met since the last call, in the order of the file. */
  take(): Evidence[] {
    const met = [...this.#met.values()].sort((a, b) => a.offset - b.offset);
    this.#met.clear();
    return met;
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}

/** Of a version 1 B-tree node also its level and entries: signature 4, type 1, level 1, entries 2. */
function saying(structure: string, bytes: Uint8Array): string {
  if (structure !== STRUCTURES.TREE || bytes.length < 8) return "";
  const entries = (bytes[6] as number) + 256 * (bytes[7] as number);
  return `level ${bytes[5]}, ${entries} entries`;
}
