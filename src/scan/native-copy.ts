/** What was done to a granule so that it has the product's form; kept with its scan. */
export interface NativeCopy {
  /** In what the source differs, in words. */
  readonly because: string;
  /** Paths of arrays whose chunks, all or some, were decoded and written in the product's form. */
  readonly encoded: readonly string[];
  /** Arrays that the source lacks: all of them missing values. */
  readonly filled: readonly string[];
  /** Variables of the source that the product does not have. */
  readonly leftOut: readonly string[];
}
