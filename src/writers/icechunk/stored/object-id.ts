/** Crockford's base 32 (https://www.crockford.com/base32.html). */
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Bytes of the id of a snapshot, a manifest or a chunk (Icechunk specification, "ObjectId12"). */
export const ID_BYTES = 12;

const NAME = /^[0-9A-HJKMNP-TV-Z]{20}$/;

/** The name of the file that holds the object of this id: its bits in base 32, the highest first, zeros behind. */
export function objectName(id: Uint8Array): string {
  let name = "";
  let bits = 0;
  let pending = 0;
  for (const byte of id) {
    pending = (pending << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) name += DIGITS[(pending >> (bits - 5)) & 31];
    pending &= (1 << bits) - 1;
  }
  return bits === 0 ? name : name + DIGITS[(pending << (5 - bits)) & 31];
}

/** True for a name that an object of Icechunk may have. */
export function isObjectName(name: string): boolean {
  return NAME.test(name);
}
