import { compileNames, type Dataset, datasetOfText, fieldsAt, type NameReader } from "../dataset/index.ts";
import type { Ledger, NameFields } from "../ledger/index.ts";

/** A dataset in force, with what recognises its granules. */
interface Route {
  readonly dataset: Dataset;
  readonly hash: string;
  readonly names: NameReader;
}

/** A dataset that an announced uri belongs to. */
export interface RoutedGranule {
  readonly dataset: Dataset;
  readonly hash: string;
  /** The granule's key in that dataset. */
  readonly key: string;
  readonly fields: NameFields;
}

/** How long a look at the ledger's dataset files is taken for the present. */
const FRESH_MS = 1_000;

/** Which datasets an announcement is for: those whose source may name the place and whose grammar knows the name. */
export class Router {
  readonly #ledger: Ledger;
  #routes: readonly Route[] = [];
  #readMs = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /**
   * Every dataset for a uri; none when nothing matches. `only` restricts to one dataset by name. A uri with a query string
   * matches nothing: that of a presigned URL is a secret, and what matches goes into Temporal.
   */
  async route(uri: string, only?: string): Promise<RoutedGranule[]> {
    const found: RoutedGranule[] = [];
    for (const { dataset, hash, names } of await this.#current()) {
      if (only !== undefined && dataset.name !== only) continue;
      const fields = fieldsAt(dataset.source, names, uri);
      if (fields !== undefined) found.push({ dataset, hash, key: names.key(fields), fields });
    }
    return found;
  }

  async #current(): Promise<readonly Route[]> {
    if (Date.now() - this.#readMs > FRESH_MS) {
      const stored = await this.#ledger.datasets();
      this.#routes = stored.map(({ hash, text }) => {
        const known = this.#routes.find((route) => route.hash === hash);
        if (known !== undefined) return known;
        const dataset = datasetOfText(text);
        return { dataset, hash, names: compileNames(dataset.match) };
      });
      this.#readMs = Date.now();
    }
    return this.#routes;
  }
}
