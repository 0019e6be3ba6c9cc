import type { Filter } from "./messages/filter-pipeline.ts";

/** Identifications of registered HDF5 filters. */
export const FILTER = {
  deflate: 1,
  shuffle: 2,
  fletcher32: 3,
  szip: 4,
  nbit: 5,
  scaleOffset: 6,
  bzip2: 307,
  lzf: 32000,
  blosc: 32001,
  lz4: 32004,
  bitshuffle: 32008,
  zstd: 32015,
  /** These two round floats when they are written; reading changes nothing. */
  bitGroom: 32022,
  granularBitRound: 32023,
} as const;

const NAMES: ReadonlyMap<number, string> = new Map([
  [FILTER.deflate, "deflate"],
  [FILTER.shuffle, "shuffle"],
  [FILTER.fletcher32, "fletcher32"],
  [FILTER.szip, "szip"],
  [FILTER.nbit, "n-bit"],
  [FILTER.scaleOffset, "scale-offset"],
  [FILTER.bzip2, "bzip2"],
  [FILTER.lzf, "lzf"],
  [FILTER.blosc, "blosc"],
  [FILTER.lz4, "lz4"],
  [FILTER.bitshuffle, "bitshuffle"],
  [FILTER.zstd, "zstd"],
]);

/** A filter as a person knows it: `the szip filter (4)`, `the filter "bogus" (305)`. */
export function describeFilter({ id, name }: Filter): string {
  const known = NAMES.get(id);
  if (known !== undefined) return `the ${known} filter (${id})`;
  return name === "" ? `filter ${id}` : `the filter ${JSON.stringify(name)} (${id})`;
}

/** A mask of a chunk that went through no filter at all. */
export const NO_FILTERS = 0xffff_ffff;

/** The filters that a chunk with this mask went through: bit n of the mask says that filter n was skipped. */
export function appliedFilters(filters: readonly Filter[], mask: number): readonly Filter[] {
  return filters.filter((_, index) => ((mask >>> index) & 1) === 0);
}
