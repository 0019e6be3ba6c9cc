/**
 * Bounds that no honest file comes near, so that a hostile one ends in an error and not in a full memory or an endless walk.
 * Sizes that a file states are bounded by the file itself; these are the bounds that it cannot give.
 */

/** Groups inside groups. libhdf5 has none; paths of 256 components are past every file known. */
export const MAX_GROUP_DEPTH = 256;

/** Groups, datasets and committed types of one file. The largest granules known (ICESat-2 ATL03) have about 1 500. */
export const MAX_OBJECTS = 200_000;

/** Continuation blocks of one object header. Each needs a message in an earlier one; heavily edited files have tens. */
export const MAX_HEADER_BLOCKS = 4_096;

/** Types inside types: a compound of arrays of compounds … */
export const MAX_DATATYPE_DEPTH = 32;

/** The format's own limit (H5S_MAX_RANK). */
export const MAX_RANK = 32;

/** Cells of all chunk grids of one file together: 20 bytes each, so at most 320 MiB. */
export const MAX_CELLS = 2 ** 24;

/** Bytes of all variable-length text of one variable that is inlined; more is refused. */
export const MAX_INLINED_TEXT_BYTES = 2 ** 20;

/** Elements of one variable-length text variable that is inlined; more is refused. */
export const MAX_INLINED_TEXT_ELEMENTS = 2 ** 17;

/** Files that one file may name: external storage, sources of virtual datasets, targets of links. A source for each day of ten years. */
export const MAX_OTHER_FILES = 4_096;

/** Bytes of all variables of one file that are inlined together; more is refused. */
export const MAX_INLINED_BYTES = 2 ** 26;

/**
 * Bytes that a scan may read from a file of `size` bytes, all reads counted. Object headers are read with a guessed length,
 * so small files are read several times over; a walk that goes on after 16 times is led in circles.
 */
export function readBudget(size: number): number {
  return 16 * size + 2 ** 24;
}

/** Reads that are under way at the same time, so that a remote source answers several per round trip. */
export const READS_IN_FLIGHT = 16;

/** Variables that are looked at at the same time; each has reads of its own under way. */
export const VARIABLES_IN_FLIGHT = 32;
