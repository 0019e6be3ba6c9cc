/**
 * What tells one state of a source's bytes from another, as the source itself states it.
 * At least one of the members is set for anything that can be referenced safely.
 */
export interface SourceIdentity {
  /** The entity tag as the server sent it, quotes and all. */
  readonly etag?: string | undefined;
  /** Milliseconds since 1970-01-01T00:00:00Z, in the resolution of the source (HTTP: whole seconds). */
  readonly lastModifiedMs?: number | undefined;
  /** Bytes. */
  readonly size: number;
}

/**
 * Random access to the bytes of one source. The identity comes from the same responses that the bytes come from:
 * a source that changes between two reads is a `source-changed` error, never a mixture.
 */
export interface RangeReader {
  /** Where the bytes are, as it goes into references: `file:///…`, `https://…`. */
  readonly uri: string;
  /** Bytes in all. */
  readonly size: number;
  readonly identity: SourceIdentity;
  /** True: the server knows no ranges, so that a reference into the source could not be read. */
  readonly isWithoutRanges?: boolean;
  /**
   * Exactly `length` bytes from `offset`.
   * @throws FreshetError `truncated` when the source ends before `offset + length`; `source-changed`, `source-missing`,
   *   `source-unavailable`, `source-refused` as the source answers.
   */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;
  /**
   * All bytes from `offset` to the end, as they come, in one request while all goes well; for copying a source whole. Where there is none, `read`
   * is as good. A piece is there until the next one is asked for. @throws as `read`.
   */
  stream?(offset: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}
