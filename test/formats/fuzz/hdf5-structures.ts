import { lookup3 } from "../../../src/formats/hdf5/checksum.ts";

/** What stands at the beginning of HDF5's structures. Header messages of the first version have none. */
const SIGNATURES = [
  "\x89HDF",
  "OHDR",
  "OCHK",
  "TREE",
  "SNOD",
  "HEAP",
  "GCOL",
  "FRHP",
  "FHDB",
  "FHIB",
  "BTHD",
  "BTIN",
  "BTLF",
  "FAHD",
  "FADB",
  "EAHD",
  "EAIB",
  "EASB",
  "EADB",
  "SMTB",
  "MDCI",
];

/** Offsets of all structures of a file that begin with a signature. */
export function structuresIn(bytes: Uint8Array): number[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: number[] = [];
  for (const signature of SIGNATURES) {
    const wanted = Buffer.from(signature, "latin1");
    for (let at = buffer.indexOf(wanted); at >= 0 && found.length < 5000; at = buffer.indexOf(wanted, at + 1)) found.push(at);
  }
  return found.sort((a, b) => a - b);
}

/**
 * Makes the checksums of changed structures right again, so that a reader looks at what they say. Of those whose length can be told from
 * their first bytes, with addresses and lengths of eight bytes.
 */
export function mendChecksums(bytes: Uint8Array, structures: readonly number[]): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const at of structures) {
    const length = checkedLength(bytes, at);
    if (length !== undefined && at + length + 4 <= bytes.length) view.setUint32(at + length, lookup3(bytes, at, length), true);
  }
}

/** Bytes before the checksum. */
function checkedLength(bytes: Uint8Array, at: number): number | undefined {
  const signature = String.fromCharCode(...bytes.subarray(at, at + 4));
  switch (signature) {
    case "\x89HDF":
      return (bytes[at + 8] ?? 0) >= 2 ? 44 : undefined;
    case "OHDR": {
      const flags = bytes[at + 5] ?? 0;
      const prefix = 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
      const width = 1 << (flags & 3);
      let length = 0;
      for (let byte = width - 1; byte >= 0; byte--) length = length * 256 + (bytes[at + prefix + byte] ?? 0);
      return prefix + width + length;
    }
    case "BTHD":
      return 34;
    case "FAHD":
      return 24;
    case "EAHD":
      return 68;
    case "FRHP":
      return 142;
    default:
      return undefined;
  }
}
