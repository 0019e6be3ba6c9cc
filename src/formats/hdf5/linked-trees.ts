import type { FormatOptions } from "../format-scan.ts";
import { DimensionNames } from "./dimension-names.ts";
import { type ObjectTree, type OpenTree, readObjectTree } from "./object-tree.ts";
import { type OpenHdf5, openHdf5 } from "./open-hdf5.ts";

/** The trees of the files that one file names beside itself, each read once. What those name in turn is not followed. */
export class LinkedTrees {
  readonly #main: OpenHdf5;
  readonly #options: FormatOptions;
  readonly #trees = new Map<string, Promise<ObjectTree | undefined>>();
  readonly #names = new Map<OpenHdf5, DimensionNames>();

  constructor(main: OpenHdf5, options: FormatOptions) {
    this.#main = main;
    this.#options = options;
  }

  readonly open: OpenTree = async (fileName, what) => {
    let tree = this.#trees.get(fileName);
    if (tree === undefined) {
      tree = this.#read(fileName, what);
      this.#trees.set(fileName, tree);
    }
    return await tree;
  };

  /** Takes in the names that a tree's scales give. */
  nameDimensions(tree: ObjectTree): void {
    this.#names.set(tree.open, new DimensionNames(tree.datasets));
  }

  /** The names of dimensions in a file whose tree was read. */
  dimensionNames(open: OpenHdf5): DimensionNames {
    return this.#names.get(open) ?? new DimensionNames([]);
  }

  async #read(fileName: string, what: string): Promise<ObjectTree | undefined> {
    const reader = await this.#main.others.open(fileName, what);
    if (reader === undefined) return undefined;
    const tree = await readObjectTree(await openHdf5(reader, { ...this.#options, openBeside: undefined }));
    this.nameDimensions(tree);
    return tree;
  }
}
