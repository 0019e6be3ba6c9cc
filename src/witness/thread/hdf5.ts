import { ready } from "h5wasm";
import { comparedBytes } from "../normal-form.ts";
import { forgetComplaints, withComplaint } from "./complaints.ts";
import { answerOf, differenceOf, type OpenSource } from "./decoder.ts";
import type { Answer, Wanted } from "./messages.ts";
import { RangeFailure, type Ranges } from "./ranges.ts";
import { isTrap } from "./wasm.ts";

/** What is used of h5wasm's module; its own declarations leave the file system out. */
interface Module {
  readonly FS: FileSystem;
  readonly HEAPU8: Uint8Array;
  readonly H5F_ACC_RDONLY: number;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  open(name: string, mode: number, trackOrder: boolean, lowVersion: number, highVersion: number): bigint;
  close_file(file: bigint): number;
  get_names(file: bigint, path: string, recursive: boolean): readonly string[];
  get_dataset_metadata(file: bigint, path: string): Metadata;
  get_dataset_data(
    file: bigint,
    path: string,
    count: readonly bigint[] | null,
    offset: readonly bigint[] | null,
    strides: readonly bigint[] | null,
    pointer: bigint,
  ): number;
}

/** Emscripten's, as far as a file that is read by ranges needs it. */
interface FileSystem {
  readonly ErrnoError: new (errno: number) => Error;
  create(path: string): FileNode;
  unlink(path: string): void;
}

interface FileNode {
  node_ops: { getattr(node: FileNode): { size: number } };
  stream_ops: object;
}

interface Metadata {
  /** H5T_class_t. */
  readonly type: number;
  readonly size: number;
  readonly signed: boolean;
  readonly littleEndian: boolean;
  readonly shape: readonly number[] | null;
  readonly enum_type?: { readonly type: number; readonly members: Readonly<Record<string, number>> };
}

/** H5T_class_t (H5Tpublic.h). */
const CLASS = { integer: 0, float: 1, bitfield: 4, enumeration: 8 } as const;
/** EIO of Emscripten (WASI). */
const INPUT_OUTPUT_ERROR = 29;

const module = (await ready) as unknown as Module;
let opened = 0;

/** Bytes that the decoder's memory has grown to. It never shrinks. */
export function hdf5HeapBytes(): number {
  return module.HEAPU8.length;
}

/** @throws Error with libhdf5's own reason why it does not open the file. */
export function openHdf5(ranges: Ranges): OpenSource {
  forgetComplaints();
  // A name and an inode that never come again: libhdf5 takes a file that it still holds open for the same one by its inode.
  const name = `/source-${++opened}`;
  mount(name, ranges);
  const file = module.open(name, module.H5F_ACC_RDONLY, false, -1, -1);
  if (file < 0n) {
    module.FS.unlink(name);
    throw new Error(withComplaint("libhdf5 does not open the file"));
  }
  const names = new StoredNames(file);
  return {
    read: (wanted) => readBlock(file, names.pathOf(wanted.path), wanted),
    close: () => {
      module.close_file(file);
      module.FS.unlink(name);
    },
  };
}

/** netCDF-4 gives a variable this prefix when a dimension that it is no coordinate of has its name. */
const NON_COORDINATE = "_nc4_non_coord_";

/** Where a variable is stored that netCDF calls so. */
class StoredNames {
  readonly #file: bigint;
  readonly #byGroup = new Map<string, ReadonlySet<string>>();

  constructor(file: bigint) {
    this.#file = file;
  }

  pathOf(path: string): string {
    const group = path.slice(0, path.lastIndexOf("/")) || "/";
    const stored = `${NON_COORDINATE}${path.slice(path.lastIndexOf("/") + 1)}`;
    return this.#namesIn(group).has(stored) ? `${group === "/" ? "" : group}/${stored}` : path;
  }

  #namesIn(group: string): ReadonlySet<string> {
    const known = this.#byGroup.get(group);
    if (known !== undefined) return known;
    const names = new Set(orComplain("libhdf5 finds no such group", () => module.get_names(this.#file, group, false)));
    this.#byGroup.set(group, names);
    return names;
  }
}

function mount(name: string, ranges: Ranges): void {
  const node = module.FS.create(name);
  const { getattr } = node.node_ops;
  node.node_ops = { ...node.node_ops, getattr: (of) => ({ ...getattr(of), size: ranges.size }) };
  node.stream_ops = {
    llseek: (stream: { position: number }, offset: number, whence: number) =>
      offset + (whence === 1 ? stream.position : whence === 2 ? ranges.size : 0),
    read: (_stream: unknown, buffer: Int8Array, at: number, length: number, position: number) => {
      try {
        const bytes = ranges.read(position, length);
        buffer.set(bytes, at);
        return bytes.length;
      } catch (error) {
        if (error instanceof RangeFailure) throw new module.FS.ErrnoError(INPUT_OUTPUT_ERROR);
        throw error;
      }
    },
  };
}

function readBlock(file: bigint, path: string, wanted: Wanted): Answer {
  forgetComplaints();
  const metadata = orComplain("libhdf5 finds no such dataset", () => module.get_dataset_metadata(file, path));
  const type = typeOf(metadata);
  if (metadata.shape === null) throw new Error("libhdf5 sees a dataset without elements");
  const difference = differenceOf(wanted, { type, shape: metadata.shape });
  if (difference !== undefined) return difference;
  const elements = readOver(0x00, file, path, metadata.size, wanted);
  // A dataset may be told never to fill: what is not written of it is then left as it was.
  if (wanted.mayHaveGaps && hasZero(elements, metadata.size)) {
    const again = readOver(0xff, file, path, metadata.size, wanted);
    if (Buffer.compare(elements, again) !== 0) throw new Error("libhdf5 leaves what is not written as it is");
  }
  return answerOf(wanted, elements);
}

/** The elements, read over memory that holds `background` everywhere. */
function readOver(
  background: number,
  file: bigint,
  path: string,
  elementBytes: number,
  { shape, start, extent }: Wanted,
): Uint8Array {
  const bytes = extent.reduce((product, length) => product * length, elementBytes);
  const pointer = module._malloc(bytes);
  if (pointer === 0) throw new Error(`the decoder has no memory for ${bytes} bytes`);
  try {
    module.HEAPU8.fill(background, pointer, pointer + bytes);
    const block = (values: readonly number[]): bigint[] | null => (shape.length === 0 ? null : values.map(BigInt));
    const strides = block(extent.map(() => 1));
    const status = module.get_dataset_data(file, path, block(extent), block(start), strides, BigInt(pointer));
    if (status < 0) throw new Error(withComplaint("libhdf5 does not read the values"));
    return module.HEAPU8.slice(pointer, pointer + bytes);
  } finally {
    module._free(pointer);
  }
}

function hasZero(elements: Uint8Array, elementBytes: number): boolean {
  for (let at = 0; at < elements.length; at += elementBytes) {
    let byte = 0;
    while (byte < elementBytes && elements[at + byte] === 0) byte++;
    if (byte === elementBytes) return true;
  }
  return false;
}

/** What h5wasm answers, or libhdf5's reason where it throws. A trap goes on as it is. */
function orComplain<Result>(otherwise: string, ask: () => Result): Result {
  try {
    return ask();
  } catch (error) {
    if (isTrap(error)) throw error;
    throw new Error(withComplaint(otherwise), { cause: error });
  }
}

/** Zarr's name of the type. @throws Error for one that is not compared. */
function typeOf({ type: kind, size, signed, littleEndian, enum_type: enumeration }: Metadata): string {
  const name = kind === CLASS.float ? `float${8 * size}` : `${signed ? "int" : "uint"}${8 * size}`;
  const isNumber = kind === CLASS.integer || kind === CLASS.float || kind === CLASS.bitfield || kind === CLASS.enumeration;
  if (!isNumber || comparedBytes(name) === undefined)
    throw new Error(`h5wasm hands over no numbers of its type ${kind}, ${size} bytes`);
  if (enumeration === undefined) return name;
  if (size === 1 && isBoolean(enumeration.members)) return "bool";
  // h5wasm asks for enumerations in the order of the file, and then takes them for little-endian.
  if (size > 1 && !littleEndian) throw new Error("h5wasm does not turn big-endian enumerations");
  return name;
}

function isBoolean(members: Readonly<Record<string, number>>): boolean {
  return Object.keys(members).length === 2 && members.FALSE === 0 && members.TRUE === 1;
}
