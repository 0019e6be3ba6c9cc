import { mendChecksums, structuresIn } from "./hdf5-structures.ts";
import type { Random } from "./random.ts";

/** How far behind its signature a structure is hit. */
const REACH = 160;

/** Values at which lengths, counts and addresses break. */
function edgeValues(size: number): readonly bigint[] {
  const end = BigInt(size);
  return [
    0n,
    1n,
    2n,
    0x7fn,
    0xffn,
    0xffffn,
    2n ** 31n,
    2n ** 32n - 1n,
    2n ** 53n,
    2n ** 63n,
    2n ** 64n - 1n,
    end,
    end - 1n,
    end + 1n,
    end / 2n,
  ];
}

/** The file with one to four things changed, in ways that bits rot and attackers write. The same random numbers give the same file. */
export function mutate(original: Uint8Array, random: Random): Uint8Array {
  let bytes: Uint8Array = new Uint8Array(original);
  const structures = structuresIn(original);
  const changes = 1 + random.below(4);
  for (let change = 0; change < changes; change++) bytes = mutateOnce(bytes, structures, random);
  if (random.next() < 0.8) mendChecksums(bytes, structures);
  return bytes;
}

function mutateOnce(bytes: Uint8Array, structures: readonly number[], random: Random): Uint8Array {
  if (bytes.length < 16) return bytes;
  const near = structures.length > 0 && random.next() < 0.7;
  const at = Math.min(near ? random.pick(structures) + random.below(REACH) : random.below(bytes.length), bytes.length - 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
      bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
      return bytes;
    case 3:
    case 4:
      bytes[at] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
      return bytes;
    case 5:
    case 6: {
      // A length or an address of two, four or eight bytes.
      const value = random.pick(edgeValues(bytes.length));
      const width = random.pick([2, 4, 8]);
      if (at + width > bytes.length) return bytes;
      if (width === 8) view.setBigUint64(at, BigInt.asUintN(64, value), random.next() < 0.9);
      else if (width === 4) view.setUint32(at, Number(BigInt.asUintN(32, value)), random.next() < 0.9);
      else view.setUint16(at, Number(BigInt.asUintN(16, value)), random.next() < 0.9);
      return bytes;
    }
    case 7:
    case 8: {
      // An address that leads to another structure: circles, and structures where others belong.
      if (structures.length === 0 || at + 8 > bytes.length) return bytes;
      view.setBigUint64(at, BigInt(random.pick(structures)), true);
      return bytes;
    }
    case 9: {
      const from = random.below(bytes.length);
      const length = Math.min(1 + random.below(64), bytes.length - Math.max(from, at));
      bytes.copyWithin(at, from, from + length);
      return bytes;
    }
    case 10:
      bytes.fill(random.pick([0, 0xff]), at, at + 1 + random.below(32));
      return bytes;
    default:
      return bytes.slice(0, near ? at : random.below(bytes.length) + 1);
  }
}
