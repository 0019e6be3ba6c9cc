import type { ByteCursor } from "../byte-cursor.ts";
import { walkBtree1 } from "./btree1.ts";
import { walkBtree2 } from "./btree2.ts";
import { FractalHeap } from "./fractal-heap.ts";
import type { Hdf5File } from "./hdf5-file.ts";
import { inFlight } from "./in-flight.ts";
import { readLocalHeap } from "./local-heap.ts";
import { type Link, readLink } from "./messages/link.ts";
import { readLinkInfo } from "./messages/link-info.ts";
import { readSymbolTable } from "./messages/symbol-table.ts";
import { findMessage, MESSAGE, type ObjectHeader, openMessage } from "./object-header.ts";
import { openSymbolTableNode, readSymbolTableNode } from "./symbol-table-node.ts";

/** True for the header of a group, of the old or the new style. */
export function isGroup(header: ObjectHeader): boolean {
  return GROUP_MESSAGES.some((type) => findMessage(header, type) !== undefined);
}

const GROUP_MESSAGES = [MESSAGE.symbolTable, MESSAGE.linkInfo, MESSAGE.link, MESSAGE.groupInfo];

/** The links of a group: in the order of their creation where the file keeps it, else by name. */
export async function readGroupLinks(file: Hdf5File, header: ObjectHeader): Promise<readonly Link[]> {
  const links: Link[] = [];
  for (const message of header.messages) {
    switch (message.type) {
      case MESSAGE.link:
        links.push(readLink(file, openMessage(file, message)));
        break;
      case MESSAGE.linkInfo: {
        const info = readLinkInfo(file, openMessage(file, message));
        if (info.heapAddress !== undefined && info.nameIndexAddress !== undefined) {
          links.push(...(await readDenseLinks(file, info.heapAddress, info.nameIndexAddress)));
        }
        break;
      }
      case MESSAGE.symbolTable:
        links.push(...(await readOldLinks(file, openMessage(file, message))));
        break;
      default:
        break;
    }
  }
  return links.sort(inOrder);
}

/** B-tree of a symbol table: group nodes, whose children are symbol table nodes. */
async function readOldLinks(file: Hdf5File, cursor: ByteCursor): Promise<Link[]> {
  const table = readSymbolTable(file, cursor);
  const heap = await readLocalHeap(file, table.heapAddress);
  const nodes: number[] = [];
  const shape = { type: 0, keySize: file.superblock.lengthSize, k: file.superblock.groupInternalK } as const;
  await walkBtree1(file, table.btreeAddress, shape, (leaf, entries) => {
    for (let entry = 0; entry < entries; entry++) {
      leaf.skip(shape.keySize);
      nodes.push(file.requiredAddress(leaf, "symbol table node"));
    }
  });
  const links: Link[] = [];
  await inFlight(
    nodes,
    (address) => openSymbolTableNode(file, address),
    (node) => {
      links.push(...readSymbolTableNode(file, node, heap));
    },
  );
  return links;
}

/** Records of type 5 (HDF5 File Format Specification, III.A.2): hash of the name 4, identification in the heap. */
async function readDenseLinks(file: Hdf5File, heapAddress: number, indexAddress: number): Promise<Link[]> {
  const identifications: Uint8Array[] = [];
  await walkBtree2(file, indexAddress, [5], (record, { recordSize }) => {
    record.skip(4);
    identifications.push(record.take(recordSize - 4));
  });
  const heap = new FractalHeap(file, heapAddress);
  const links: Link[] = [];
  for (const identification of identifications) links.push(readLink(file, await heap.open(identification)));
  return links;
}

function inOrder(a: Link, b: Link): number {
  if (a.creationOrder !== undefined && b.creationOrder !== undefined) return a.creationOrder - b.creationOrder;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
