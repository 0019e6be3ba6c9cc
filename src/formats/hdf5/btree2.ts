import type { ByteCursor } from "../byte-cursor.ts";
import { verifyChecksum } from "./checksum.ts";
import { expectSignature, type Hdf5File, unknownVersion } from "./hdf5-file.ts";
import { inFlight } from "./in-flight.ts";

/**
 * Version 2 B-tree (HDF5 File Format Specification, III.A.2).
 *
 * Header                              Internal node "BTIN", leaf "BTLF"
 *   signature "BTHD"      4             signature            4
 *   version               1             version              1
 *   record type           1             record type          1
 *   node size             4             records
 *   record size           2             children (internal node only), one more than records, each:
 *   depth                 2               address            O
 *   split, merge percent  1 + 1           records in it      fewest bytes for the most that fit a leaf
 *   root address          O               records below it   fewest bytes for the most possible; not above leaves
 *   records in the root   2             checksum             4
 *   records in all        L
 *   checksum              4
 */
export interface Btree2Header {
  readonly recordType: number;
  readonly nodeSize: number;
  readonly recordSize: number;
  readonly depth: number;
  readonly rootAddress: number | undefined;
  readonly rootRecords: number;
  /** What the tree says it holds in all. */
  readonly totalRecords: number;
}

/** Gets a cursor at the start of a record; need not read all of it. */
export type VisitRecord = (record: ByteCursor, header: Btree2Header) => void;

/** Reads the header at `address`. */
export async function readBtree2Header(file: Hdf5File, address: number, recordTypes: readonly number[]): Promise<Btree2Header> {
  const cursor = await file.read(address, 22 + file.superblock.offsetSize + file.superblock.lengthSize);
  expectSignature(cursor, "BTHD", "version 2 B-tree");
  const version = cursor.u8();
  if (version !== 0) throw unknownVersion(cursor, "version 2 B-tree", version, "0");
  const recordType = cursor.u8();
  if (!recordTypes.includes(recordType)) {
    throw cursor.malformed("a version 2 B-tree has the wrong records", `type ${recordType}`, `type ${recordTypes.join(" or ")}`);
  }
  const nodeSize = cursor.u32();
  const recordSize = cursor.u16();
  const depth = cursor.u16();
  cursor.skip(2);
  const rootAddress = file.address(cursor);
  const rootRecords = cursor.u16();
  const totalRecords = file.length(cursor);
  verifyChecksum(cursor, cursor.base, "version 2 B-tree");
  if (recordSize === 0 || nodeSize < 10 + recordSize) {
    throw cursor.malformed(
      "the sizes of a version 2 B-tree are impossible",
      `${nodeSize}-byte nodes of ${recordSize}-byte records`,
    );
  }
  return { recordType, nodeSize, recordSize, depth, rootAddress, rootRecords, totalRecords };
}

/** Visits every record of the tree once, not in the order of the keys. The depth goes down at every step, so the walk ends. */
export async function walkBtree2(
  file: Hdf5File,
  address: number,
  recordTypes: readonly number[],
  visit: VisitRecord,
): Promise<void> {
  const header = await readBtree2Header(file, address, recordTypes);
  let visited = 0;
  if (header.rootAddress !== undefined && (header.totalRecords > 0 || header.rootRecords > 0)) {
    const count: VisitRecord = (cursor, of) => {
      visited++;
      visit(cursor, of);
    };
    const widths = childWidths(file, header);
    await new Walk(file, header, widths, count).from({ address: header.rootAddress, records: header.rootRecords }, header.depth);
  }
  // libhdf5 looks records up without the total, and would find what the total denies.
  if (visited !== header.totalRecords)
    throw file.malformed(
      "a version 2 B-tree has another number of records than it says",
      address,
      `${visited}`,
      `${header.totalRecords}`,
    );
}

interface Child {
  readonly address: number;
  readonly records: number;
}

/** Widths of the counts that stand beside a child: records in it, and records below it by the child's depth. */
interface ChildWidths {
  readonly records: number;
  readonly below: readonly number[];
}

class Walk {
  readonly #file: Hdf5File;
  readonly #header: Btree2Header;
  readonly #widths: ChildWidths;
  readonly #visit: VisitRecord;

  constructor(file: Hdf5File, header: Btree2Header, widths: ChildWidths, visit: VisitRecord) {
    this.#file = file;
    this.#header = header;
    this.#widths = widths;
    this.#visit = visit;
  }

  async from(node: Child, depth: number): Promise<void> {
    await this.#take(await this.#read(node), node, depth);
  }

  #read(node: Child): Promise<ByteCursor> {
    return this.#file.read(node.address, this.#header.nodeSize);
  }

  async #take(cursor: ByteCursor, node: Child, depth: number): Promise<void> {
    const { recordType, recordSize } = this.#header;
    expectSignature(cursor, depth === 0 ? "BTLF" : "BTIN", "version 2 B-tree node");
    const version = cursor.u8();
    if (version !== 0) throw unknownVersion(cursor, "version 2 B-tree node", version, "0");
    const type = cursor.u8();
    if (type !== recordType) throw cursor.malformed("a B-tree node has the wrong records", `type ${type}`, `type ${recordType}`);
    const records = cursor.position;
    cursor.skip(node.records * recordSize);
    const children = depth === 0 ? [] : this.#children(cursor, node.records + 1, depth);
    verifyChecksum(cursor, cursor.base, "version 2 B-tree node");
    for (let index = 0; index < node.records; index++) {
      cursor.seek(records + index * recordSize);
      this.#visit(cursor, this.#header);
    }
    await inFlight(
      children,
      (child) => this.#read(child),
      (childCursor, child) => this.#take(childCursor, child, depth - 1),
    );
  }

  #children(cursor: ByteCursor, count: number, depth: number): Child[] {
    const children: Child[] = [];
    for (let index = 0; index < count; index++) {
      const address = this.#file.requiredAddress(cursor, "child of a version 2 B-tree node");
      children.push({ address, records: cursor.uint(this.#widths.records) });
      if (depth > 1) cursor.skip(this.#widths.below[depth - 1] as number);
    }
    return children;
  }
}

function childWidths(file: Hdf5File, header: Btree2Header): ChildWidths {
  const room = header.nodeSize - 10;
  const inLeaf = Math.floor(room / header.recordSize);
  const records = bytesFor(inLeaf);
  const below: number[] = [0];
  let most = inLeaf;
  for (let depth = 1; depth < header.depth; depth++) {
    const pointer = file.superblock.offsetSize + records + (below[depth - 1] as number);
    const inNode = Math.floor((room - pointer) / (header.recordSize + pointer));
    most = (inNode + 1) * most + inNode;
    if (!(most < 2 ** 64))
      throw file.malformed("a version 2 B-tree is too deep", header.rootAddress ?? 0, `depth ${header.depth}`);
    below.push(bytesFor(most));
  }
  return { records, below };
}

function bytesFor(count: number): number {
  return Math.floor(Math.log2(Math.max(1, count)) / 8) + 1;
}
