/**
 * A table of a FlatBuffers message (FlatBuffers internals, "Tables"): at `at` an int32 says how far behind it its vtable lies; that
 * holds its own size and the table's, then for each field in the schema's order a uint16, the field's distance from `at` or 0
 * where it is absent. Every number is read through a DataView, so that a lie about a distance is a RangeError and never
 * other memory; nothing is followed that is not asked for, so that a cycle cannot hold anybody.
 */
export class FlatTable {
  readonly #view: DataView;
  readonly #at: number;
  readonly #fields: number;
  readonly #fieldsEnd: number;

  constructor(view: DataView, at: number) {
    this.#view = view;
    this.#at = at;
    this.#fields = at - view.getInt32(at, true);
    this.#fieldsEnd = this.#fields + view.getUint16(this.#fields, true);
  }

  /** The root of a message. @throws RangeError for bytes that are none; so does everything below. */
  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new FlatTable(view, view.getUint32(0, true));
  }

  /** True where the field is there. @param slot its place in the schema, from 0; a union takes two. */
  has(slot: number): boolean {
    return this.#field(slot) !== undefined;
  }

  /** A number of one byte; 0 where it is absent, as the schema's default. */
  uint8(slot: number): number {
    const at = this.#field(slot);
    return at === undefined ? 0 : this.#view.getUint8(at);
  }

  int32(slot: number): number {
    const at = this.#field(slot);
    return at === undefined ? 0 : this.#view.getInt32(at, true);
  }

  uint32(slot: number): number {
    const at = this.#field(slot);
    return at === undefined ? 0 : this.#view.getUint32(at, true);
  }

  uint64(slot: number): bigint {
    const at = this.#field(slot);
    return at === undefined ? 0n : this.#view.getBigUint64(at, true);
  }

  /** The first `length` bytes of a struct; undefined where it is absent. Shares memory. */
  struct(slot: number, length: number): Uint8Array | undefined {
    const at = this.#field(slot);
    return at === undefined ? undefined : bytesOf(this.#view, at, length);
  }

  /** Text; undefined where it is absent. */
  text(slot: number): string | undefined {
    const vector = this.#vector(slot, 1);
    return vector && Buffer.from(bytesOf(this.#view, vector.at, vector.count)).toString("utf8");
  }

  /** The table that a field points at; undefined where it is absent. */
  table(slot: number): FlatTable | undefined {
    const at = this.#field(slot);
    return at === undefined ? undefined : new FlatTable(this.#view, at + this.#view.getUint32(at, true));
  }

  /** The tables of a vector, one after the other; none where it is absent. */
  *tables(slot: number): Generator<FlatTable> {
    const vector = this.#vector(slot, 4);
    if (vector === undefined) return;
    for (let at = vector.at, left = vector.count; left > 0; at += 4, left--)
      yield new FlatTable(this.#view, at + this.#view.getUint32(at, true));
  }

  /** The structs of a vector, each `length` bytes long; none where it is absent. */
  *structs(slot: number, length: number): Generator<Uint8Array> {
    const vector = this.#vector(slot, length);
    if (vector === undefined) return;
    for (let at = vector.at, left = vector.count; left > 0; at += length, left--) yield bytesOf(this.#view, at, length);
  }

  #field(slot: number): number | undefined {
    const entry = this.#fields + 4 + 2 * slot;
    if (entry >= this.#fieldsEnd) return undefined;
    const distance = this.#view.getUint16(entry, true);
    return distance === 0 ? undefined : this.#at + distance;
  }

  /** Where a vector's elements begin, and how many there are: no more than the message has room for. */
  #vector(slot: number, elementLength: number): { readonly at: number; readonly count: number } | undefined {
    const field = this.#field(slot);
    if (field === undefined) return undefined;
    const start = field + this.#view.getUint32(field, true);
    const count = this.#view.getUint32(start, true);
    if (start + 4 + count * elementLength > this.#view.byteLength)
      throw new RangeError(`a vector of ${count} elements ends behind the message`);
    return { at: start + 4, count };
  }
}

function bytesOf(view: DataView, at: number, length: number): Uint8Array {
  if (at < 0 || at + length > view.byteLength) throw new RangeError(`${length} bytes at ${at} end behind the message`);
  return new Uint8Array(view.buffer, view.byteOffset + at, length);
}
