import { isFreshetError } from "../../errors/index.ts";
import { chunkGrid } from "../../virtual/index.ts";
import { canBeKey } from "./can-be-key.ts";
import { DimensionNamer } from "./dimension-names.ts";
import { zarr2Array } from "./zarr2-array.ts";
import { readZarr3Array, readZarr3GroupAttributes, type Zarr3Array } from "./zarr3-array.ts";

/** A key of a Zarr v2 store and its value, for `JSON.stringify`. */
export type Zarr2Entry = readonly [key: string, value: Readonly<Record<string, unknown>>];

/** The Zarr v2 metadata of a hierarchy that is known by the `zarr.json` of its groups and arrays. The last word on each counts. */
export class Zarr2Metadata {
  readonly #groups = new Map<string, string>();
  readonly #arrays = new Map<string, { readonly text: string; readonly array: Zarr3Array }>();
  readonly #refused = new Map<string, string>();

  /** Arrays that Zarr v2 references cannot hold, by path, and why. */
  get refused(): ReadonlyMap<string, string> {
    return this.#refused;
  }

  /** @param path `/`, `/group`. */
  setGroup(path: string, text: string): void {
    if (canBeKey(path)) this.#groups.set(path, text);
  }

  /** The array's chunk grid; undefined for one that is refused. @param path `/name`, `/group/name`. */
  setArray(path: string, text: string): readonly number[] | undefined {
    const known = this.#arrays.get(path);
    const array = known?.text === text ? known.array : readZarr3Array(text);
    if (known?.array !== array) {
      const reason = canBeKey(path) ? reasonAgainst(array) : "its path cannot be a key of a Zarr v2 store";
      if (reason !== undefined) this.#refused.set(path, reason);
      else this.#arrays.set(path, { text, array });
    }
    return this.#refused.has(path) ? undefined : chunkGrid(array.facts.shape, array.facts.chunkShape);
  }

  /** The `zarr.json` of everything that is not refused, by path, as it was set. */
  get texts(): { readonly groups: ReadonlyMap<string, string>; readonly arrays: ReadonlyMap<string, string> } {
    return { groups: this.#groups, arrays: new Map([...this.#arrays].map(([path, { text }]) => [path, text])) };
  }

  /** @param hasMissing whether some chunk of the array is not there. */
  *entries(hasMissing: (path: string) => boolean): Generator<Zarr2Entry> {
    const byGroup = Map.groupBy(this.#arrays, ([path]) => path.slice(0, path.lastIndexOf("/")) || "/");
    for (const [path, text] of this.#groups) {
      const prefix = path === "/" ? "" : `${path.slice(1)}/`;
      yield [`${prefix}.zgroup`, { zarr_format: 2 }];
      yield [`${prefix}.zattrs`, readZarr3GroupAttributes(text)];
      const arrays = byGroup.get(path) ?? [];
      const namer = new DimensionNamer(arrays.map(([, { array }]) => array.facts));
      for (const [arrayPath, { array }] of arrays) {
        const { shape, dimensionNames } = array.facts;
        yield [`${arrayPath.slice(1)}/.zarray`, zarr2Array(array.facts, hasMissing(arrayPath))];
        yield [`${arrayPath.slice(1)}/.zattrs`, { ...array.attributes, _ARRAY_DIMENSIONS: namer.namesOf(shape, dimensionNames) }];
      }
    }
  }
}

function reasonAgainst({ facts }: Zarr3Array): string | undefined {
  try {
    zarr2Array(facts, true);
    return undefined;
  } catch (error) {
    if (isFreshetError(error, "unsupported")) return error.message;
    throw error;
  }
}
