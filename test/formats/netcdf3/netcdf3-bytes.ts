import type { NcType } from "../../../src/formats/netcdf3/nc-type.ts";

const CODES: Readonly<Record<NcType, readonly [code: number, bytes: number]>> = {
  int8: [1, 1],
  char: [2, 1],
  int16: [3, 2],
  int32: [4, 4],
  float32: [5, 4],
  float64: [6, 8],
  uint8: [7, 1],
  uint16: [8, 2],
  uint32: [9, 4],
  int64: [10, 8],
  uint64: [11, 8],
};

export type Attribute = readonly [name: string, type: NcType, values: string | readonly (number | bigint)[]];

export interface File {
  readonly version?: 1 | 2 | 5;
  readonly records?: number | "streaming";
  /** Length 0 is the record dimension. */
  readonly dimensions?: readonly (readonly [name: string, length: number])[];
  readonly attributes?: readonly Attribute[];
  readonly variables?: readonly {
    readonly name: string;
    readonly type: NcType;
    /** Dimension ids. */
    readonly dimensions?: readonly number[];
    readonly attributes?: readonly Attribute[];
    /** All values; of record variables, one list a record. */
    readonly values?: readonly (number | bigint)[];
    readonly recordValues?: readonly (readonly (number | bigint)[])[];
  }[];
}

export interface BuiltFile {
  readonly bytes: Uint8Array;
  /** Positions of header fields by name: `records`, `dimension x`, `type v`, `begin v`, `rank v`, `dimension 0 of v`, … */
  readonly at: ReadonlyMap<string, number>;
}

/** Writes a file by the specification's text, with nothing of the scanner but the names of types. */
export function netcdf3Bytes(file: File): BuiltFile {
  const { version = 1, records = 0, dimensions = [], attributes = [], variables = [] } = file;
  const out: number[] = [];
  const at = new Map<string, number>();
  const begins = new Map<string, number>();
  const integer = (value: number | bigint, bytes: number): void => {
    for (let byte = bytes - 1; byte >= 0; byte--) out.push(Number((BigInt(value) >> BigInt(8 * byte)) & 0xffn));
  };
  const nonNegative = (value: number | bigint): void => integer(value, version === 5 ? 8 : 4);
  const pad = (): void => {
    while (out.length % 4 !== 0) out.push(0);
  };
  const number = (type: NcType, value: number | bigint): void => {
    const bytes = CODES[type][1];
    if (!type.startsWith("float")) {
      integer(value, bytes);
      return;
    }
    const view = new DataView(new ArrayBuffer(8));
    if (type === "float32") view.setFloat32(0, Number(value));
    else view.setFloat64(0, Number(value));
    for (let byte = 0; byte < bytes; byte++) out.push(view.getUint8(byte));
  };
  const name = (text: string): void => {
    const bytes = new TextEncoder().encode(text);
    nonNegative(bytes.length);
    out.push(...bytes);
    pad();
  };
  const list = (tag: number, count: number, what: string): void => {
    at.set(`tag of ${what}`, out.length);
    integer(count === 0 ? 0 : tag, 4);
    at.set(`count of ${what}`, out.length);
    nonNegative(count);
  };
  const attributeList = (owned: readonly Attribute[], owner: string): void => {
    list(12, owned.length, `attributes of ${owner}`);
    for (const [attribute, type, values] of owned) {
      name(attribute);
      at.set(`type of ${attribute}`, out.length);
      integer(CODES[type][0], 4);
      at.set(`length of ${attribute}`, out.length);
      const items = typeof values === "string" ? [...new TextEncoder().encode(values)] : values;
      nonNegative(items.length);
      for (const value of items) number(type, value);
      pad();
    }
  };

  out.push(0x43, 0x44, 0x46, version);
  at.set("records", out.length);
  nonNegative(records === "streaming" ? (version === 5 ? 2n ** 64n - 1n : 0xffffffff) : records);
  list(10, dimensions.length, "dimensions");
  for (const [dimension, length] of dimensions) {
    name(dimension);
    at.set(`dimension ${dimension}`, out.length);
    nonNegative(length);
  }
  attributeList(attributes, "the file");
  list(11, variables.length, "variables");
  for (const variable of variables) {
    name(variable.name);
    at.set(`rank ${variable.name}`, out.length);
    nonNegative(variable.dimensions?.length ?? 0);
    for (const [axis, id] of (variable.dimensions ?? []).entries()) {
      at.set(`dimension ${axis} of ${variable.name}`, out.length);
      nonNegative(id);
    }
    attributeList(variable.attributes ?? [], variable.name);
    at.set(`type ${variable.name}`, out.length);
    integer(CODES[variable.type][0], 4);
    const sizes = (variable.dimensions ?? []).map((id) => dimensions[id]?.[1] ?? 0).filter((size) => size > 0);
    const exact = sizes.reduce((product, size) => product * size, CODES[variable.type][1]);
    nonNegative(Math.min(Math.ceil(exact / 4) * 4, 0xffffffff)); // vsize
    at.set(`begin ${variable.name}`, out.length);
    integer(0, version === 1 ? 4 : 8);
  }
  at.set("end of header", out.length);

  for (const variable of variables.filter((item) => item.values !== undefined)) {
    begins.set(variable.name, out.length);
    for (const value of variable.values ?? []) number(variable.type, value);
    pad();
  }
  const recordVariables = variables.filter((item) => item.recordValues !== undefined);
  const count = Math.max(0, ...recordVariables.map((item) => item.recordValues?.length ?? 0));
  for (const variable of recordVariables) begins.set(variable.name, out.length); // right for the first one; see below
  for (let record = 0; record < count; record++) {
    for (const variable of recordVariables) {
      if (record === 0) begins.set(variable.name, out.length);
      for (const value of variable.recordValues?.[record] ?? []) number(variable.type, value);
      if (recordVariables.length > 1) pad();
    }
  }
  const bytes = Uint8Array.from(out);
  const view = new DataView(bytes.buffer);
  for (const [variable, begin] of begins) {
    const position = at.get(`begin ${variable}`) as number;
    if (version === 1) view.setInt32(position, begin);
    else view.setBigInt64(position, BigInt(begin));
  }
  return { bytes, at };
}
