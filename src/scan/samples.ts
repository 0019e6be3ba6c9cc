/** One chunk of a source as a decoder read it that is not ours. */
export interface Sample {
  /** Absolute path of the array. */
  readonly path: string;
  /** Place in the array's chunk grid. */
  readonly index: readonly number[];
  /** Elements that are hashed, by dimension: the chunk's, cut at the array's bounds. */
  readonly extent: readonly number[];
  /**
   * Hex SHA-256 of the Zarr data type's name, a line feed, and the elements: C order, little-endian, bit for bit (-0 and the
   * payload of a NaN count).
   */
  readonly sha256: string;
  /** True: the source has not written this chunk, and it was hashed as the source fills it. A product may fill otherwise. */
  readonly isUnwritten: boolean;
}

/** What another decoder says of a source: of some chunks, and of the loaded values. */
export interface Samples {
  /** The decoder with its version: `h5wasm 0.10.3 (HDF5 2.0.0)`. */
  readonly by: string;
  readonly taken: readonly Sample[];
  /** Paths of the loaded arrays whose every value the decoder confirmed. */
  readonly loaded: readonly string[];
  /** Arrays, or parts of them, that were to be compared and were not, and why. */
  readonly passedOver: readonly { readonly path: string; readonly reason: string }[];
  /** Reads of the source that this took beyond the scan's, and the bytes that they brought. */
  readonly requests: number;
  readonly bytesRead: number;
}
