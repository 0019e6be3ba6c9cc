/** One thing that the file says of a variable, and where. */
export interface Evidence {
  /** Absolute offset in the file. */
  readonly offset: number;
  /** The structure in the words of the format's specification: `data layout message`, `B-tree node`. */
  readonly structure: string;
  /** What it says, in words. */
  readonly says: string;
}
