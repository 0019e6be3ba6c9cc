import { placeBeside } from "../formats/beside.ts";
import type { OpenBeside } from "../formats/format-scan.ts";
import { openReader, type RangeReader, type ReaderOptions, readingPlanOf, withBlockCache } from "../storage/index.ts";

/** The files that one source names beside itself (external storage, virtual datasets, external links), as far as they may be opened. */
export class FilesBeside {
  readonly #uri: string;
  readonly #places: readonly string[];
  readonly #options: ReaderOptions;
  readonly #readers: RangeReader[] = [];

  /** @param places prefixes that such a file may be under, each with a slash at its end; none: no file may be opened. */
  constructor(uri: string, places: readonly string[], options: ReaderOptions = {}) {
    this.#uri = uri;
    this.#places = places;
    this.#options = options;
  }

  readonly open: OpenBeside = async (name) => {
    const place = placeBeside(this.#uri, name, this.#places);
    const reader = await openReader(place, this.#options);
    this.#readers.push(reader);
    return withBlockCache(reader, readingPlanOf(place));
  };

  /** Closes what was opened. */
  async close(): Promise<void> {
    await Promise.all(this.#readers.map((reader) => reader.close()));
  }
}
