import { walkBtree2 } from "./btree2.ts";
import { FractalHeap } from "./fractal-heap.ts";
import { readAttribute, type StoredAttribute } from "./messages/attribute.ts";
import { readAttributeInfo } from "./messages/attribute-info.ts";
import { type HeaderMessage, MESSAGE, type ObjectHeader, openMessage, SHARED } from "./object-header.ts";
import type { OpenHdf5 } from "./open-hdf5.ts";

/**
 * The attributes of an object by name: those in its header, and those that an attribute info message keeps in a heap. In the order of
 * their creation where the file keeps it.
 */
export async function readObjectAttributes(open: OpenHdf5, header: ObjectHeader): Promise<ReadonlyMap<string, StoredAttribute>> {
  const found: (readonly [order: number, attribute: StoredAttribute])[] = [];
  for (const message of header.messages) {
    switch (message.type) {
      case MESSAGE.attribute:
        found.push([message.creationOrder ?? 0, await readAttribute(open.file, open.shared, await open.shared.open(message))]);
        break;
      case MESSAGE.attributeInfo:
        found.push(...(await readDenseAttributes(open, message)));
        break;
      default:
        break;
    }
  }
  found.sort((a, b) => a[0] - b[0]);
  return new Map(found.map(([, attribute]) => [attribute.name, attribute]));
}

/**
 * Records of type 8 (HDF5 File Format Specification, III.A.2): identification in the heap 8, message flags 1, creation order 4, hash of
 * the name 4. A shared attribute is in the heap of the shared messages.
 */
async function readDenseAttributes(
  open: OpenHdf5,
  message: HeaderMessage,
): Promise<(readonly [order: number, attribute: StoredAttribute])[]> {
  const info = readAttributeInfo(open.file, openMessage(open.file, message));
  if (info.heapAddress === undefined || info.nameIndexAddress === undefined) return [];
  const records: { readonly identification: Uint8Array; readonly flags: number; readonly order: number }[] = [];
  await walkBtree2(open.file, info.nameIndexAddress, [8], (record) => {
    records.push({ identification: record.take(8), flags: record.u8(), order: record.u32() });
  });
  const heap = new FractalHeap(open.file, info.heapAddress);
  const found: (readonly [order: number, attribute: StoredAttribute])[] = [];
  for (const { identification, flags, order } of records) {
    const cursor =
      (flags & SHARED) === 0
        ? await heap.open(identification)
        : await open.shared.inHeap(identification, openMessage(open.file, message), MESSAGE.attribute);
    found.push([order, await readAttribute(open.file, open.shared, cursor)]);
  }
  return found;
}
