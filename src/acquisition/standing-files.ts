import type { Dataset } from "../dataset/index.ts";
import type { Ledger, Revision } from "../ledger/index.ts";

/** Granules to a page of the ledger. */
const PAGE = 1_000;

/** A revision that may stand in products, by the place that it came from. */
export interface StandingFile {
  /** The place as `comparableUri` has it. */
  readonly place: string;
  readonly dataset: Dataset;
  readonly revision: Revision;
  /** A look at the source has found nothing there already. */
  readonly isKnownGone: boolean;
}

/** What the ledger has ready or published of some folders. Costs what the ledger has of the datasets. */
export class StandingFiles {
  readonly #files: readonly StandingFile[];
  readonly #byPlace: ReadonlyMap<string, readonly StandingFile[]>;

  private constructor(files: readonly StandingFile[]) {
    this.#files = files;
    this.#byPlace = Map.groupBy(files, ({ place }) => place);
  }

  /** @param folders uris that end in `/`. */
  static async below(
    folders: readonly string[],
    datasets: readonly Dataset[],
    ledger: Ledger,
    signal: AbortSignal,
  ): Promise<StandingFiles> {
    const prefixes = folders.map(comparableUri);
    const files: StandingFile[] = [];
    for (const dataset of datasets) {
      const missing = await ledger.missingSources(dataset.name);
      const gone = new Set(missing.filter(({ state }) => state === "gone").map(({ key, identity }) => `${key}\n${identity}`));
      let afterKey: string | undefined;
      do {
        signal.throwIfAborted();
        const page = await ledger.standing(dataset.name, { limit: PAGE, ...(afterKey === undefined ? {} : { afterKey }) });
        for (const revision of page) {
          const place = comparableUri(revision.uri ?? "");
          if (!prefixes.some((prefix) => place.startsWith(prefix))) continue;
          files.push({ place, dataset, revision, isKnownGone: gone.has(`${revision.key}\n${revision.identity}`) });
        }
        afterKey = page.at(-1)?.key;
      } while (afterKey !== undefined);
    }
    return new StandingFiles(files);
  }

  /** The dataset's revision that came from there. */
  at(place: string, dataset: string): Revision | undefined {
    return this.#byPlace.get(place)?.findLast((file) => file.dataset.name === dataset)?.revision;
  }

  /** All whose place is one of these. */
  where(holds: (place: string) => boolean): StandingFile[] {
    return this.#files.filter(({ place }) => holds(place));
  }
}

/** A uri as it is compared: servers and messages escape different characters of one name. */
export function comparableUri(uri: string): string {
  try {
    return decodeURIComponent(uri);
  } catch {
    return uri;
  }
}
