import type { Bookkeeping } from "./bookkeeping.ts";

/** What there is to know of a dataset to name dimensions by it. */
export interface ScaleCandidate {
  readonly address: number;
  /** Last component of its path. */
  readonly name: string;
  readonly bookkeeping: Bookkeeping;
}

/** Names the dimensions of the variables of one file. Scales may be anywhere in it, in practice in a parent group. */
export class DimensionNames {
  readonly #byAddress = new Map<number, string>();
  readonly #byId = new Map<number, string>();

  constructor(datasets: Iterable<ScaleCandidate>) {
    for (const { address, name, bookkeeping } of datasets) {
      this.#byAddress.set(address, name);
      if (bookkeeping.isScale && bookkeeping.dimensionId !== undefined && !this.#byId.has(bookkeeping.dimensionId)) {
        this.#byId.set(bookkeeping.dimensionId, name);
      }
    }
  }

  /**
   * The names of a dataset's dimensions: by the scales attached to its axes; for a scale of one dimension its own name; else by
   * netCDF's numbers, which alone tell the dimensions of a coordinate variable with several. Null for an axis that the file does not
   * name.
   */
  of(dataset: ScaleCandidate, rank: number): readonly (string | null)[] {
    const { isScale, scales, dimensionIds } = dataset.bookkeeping;
    const attached = Array.from({ length: rank }, (_, axis) => this.#attached(scales?.[axis] ?? []));
    if (attached.some((name) => name !== null)) return attached;
    if (isScale && rank === 1) return [dataset.name];
    if (dimensionIds?.length === rank) return dimensionIds.map((id) => this.#byId.get(id) ?? null);
    return attached;
  }

  #attached(addresses: readonly number[]): string | null {
    for (const address of addresses) {
      const name = this.#byAddress.get(address);
      if (name !== undefined) return name;
    }
    return null;
  }
}
