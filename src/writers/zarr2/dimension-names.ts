/**
 * `_ARRAY_DIMENSIONS` needs a name for every axis. Axes that the file does not name get `phony_dim_<n>` as in netCDF-C: one
 * for each length within a group, and two where one array has two axes of that length.
 */
export class DimensionNamer {
  readonly #taken: ReadonlySet<string>;
  readonly #phony = new Map<string, string>();

  /** @param arrays all arrays of the group. */
  constructor(arrays: Iterable<{ readonly dimensionNames: readonly (string | null)[] }>) {
    this.#taken = new Set([...arrays].flatMap(({ dimensionNames }) => dimensionNames.filter((name) => name !== null)));
  }

  /** The names of an array's axes, in order. */
  namesOf(shape: readonly number[], names: readonly (string | null)[]): string[] {
    const occurrences = new Map<number, number>();
    return shape.map((length, axis) => {
      const name = names[axis];
      if (name !== null && name !== undefined) return name;
      const occurrence = occurrences.get(length) ?? 0;
      occurrences.set(length, occurrence + 1);
      return this.#phonyName(`${length} ${occurrence}`);
    });
  }

  #phonyName(key: string): string {
    let name = this.#phony.get(key);
    for (let n = this.#phony.size; name === undefined; n++) {
      const candidate = `phony_dim_${n}`;
      if (!this.#taken.has(candidate) && ![...this.#phony.values()].includes(candidate)) name = candidate;
    }
    this.#phony.set(key, name);
    return name;
  }
}
