import { createHash } from "node:crypto";
import { indexOfCell, type VirtualArray } from "../virtual/index.ts";

/** A chunk of an array, by its cell in the manifest and its place in the chunk grid. */
export interface ChunkChoice {
  readonly path: string;
  readonly array: VirtualArray;
  readonly cell: number;
  readonly index: readonly number[];
}

/**
 * Chunks to look at, without end but for their number: each array gives one before any gives a second, and no chunk comes twice.
 * Chunks at the edges of an array, its last one, and unwritten ones come more often than their number would have it: that is
 * where references go wrong. The same seed gives the same choice. Unwritten chunks of arrays without a fill are left out: what
 * they read as is nowhere said.
 */
export function* chooseChunks(
  arrays: readonly (readonly [path: string, array: VirtualArray])[],
  seed: string,
): Generator<ChunkChoice> {
  const random = randomFrom(seed);
  let left = shuffled(arrays, random).map(([path, array]) => new ArrayChoices(path, array, random));
  while (left.length > 0) {
    const going: ArrayChoices[] = [];
    for (const choices of left) {
      const choice = choices.next();
      if (choice === undefined) continue;
      going.push(choices);
      yield choice;
    }
    left = going;
  }
}

class ArrayChoices {
  readonly #path: string;
  readonly #array: VirtualArray;
  readonly #random: Random;
  readonly #taken = new Set<number>();
  readonly #missing: number;

  constructor(path: string, array: VirtualArray, random: Random) {
    this.#path = path;
    this.#array = array;
    this.#random = random;
    this.#missing = array.manifest.counts().missing;
  }

  next(): ChunkChoice | undefined {
    const cell = this.#nextFree(this.#draw());
    if (cell === undefined) return undefined;
    this.#taken.add(cell);
    return { path: this.#path, array: this.#array, cell, index: indexOfCell(cell, this.#array.manifest.grid) };
  }

  /** A cell of one of the four kinds. */
  #draw(): number {
    const { cells } = this.#array.manifest;
    switch (this.#random(5)) {
      case 0:
        return cells - 1;
      case 1:
        return this.#edge();
      case 2:
        return this.#missing > 0 && this.#array.fillValue !== null
          ? this.#missingCell(this.#random(this.#missing))
          : this.#edge();
      default:
        return this.#random(cells);
    }
  }

  /** A cell that the array's bounds cut along some dimension, where there is one. */
  #edge(): number {
    const { shape, chunkShape, manifest } = this.#array;
    const cut = shape.flatMap((length, axis) => (length % (chunkShape[axis] as number) === 0 ? [] : [axis]));
    const index = indexOfCell(this.#random(manifest.cells), manifest.grid);
    const axis = cut[this.#random(Math.max(1, cut.length))];
    return cellOf(axis === undefined ? index : index.with(axis, (manifest.grid[axis] as number) - 1), manifest.grid);
  }

  #missingCell(number: number): number {
    const { manifest } = this.#array;
    for (let cell = 0, left = number; cell < manifest.cells; cell++) {
      if (manifest.at(cell).kind === "missing" && left-- === 0) return cell;
    }
    return 0;
  }

  /** The first cell from `start` on, and then from the beginning, that may be taken. */
  #nextFree(start: number): number | undefined {
    const { manifest, fillValue } = this.#array;
    for (let step = 0; step < manifest.cells; step++) {
      const cell = (start + step) % manifest.cells;
      if (this.#taken.has(cell)) continue;
      if (fillValue !== null || manifest.at(cell).kind !== "missing") return cell;
    }
    return undefined;
  }
}

/** A whole number from 0 to below `limit`. */
type Random = (limit: number) => number;

function randomFrom(seed: string): Random {
  let drawn = 0;
  return (limit) => createHash("sha256").update(`${seed}\n${drawn++}`).digest().readUIntBE(0, 6) % limit;
}

function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = random(last + 1);
    [order[last], order[other]] = [order[other] as Item, order[last] as Item];
  }
  return order;
}

function cellOf(index: readonly number[], grid: readonly number[]): number {
  return index.reduce((cell, at, axis) => cell * (grid[axis] as number) + at, 0);
}
