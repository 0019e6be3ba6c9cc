import { type Dataset, datasetOfText, fieldsAt, isBelow, type NameReader, namesOf, type Source } from "../dataset/index.ts";
import type { FlatRule } from "../envelopes/index.ts";
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
   * matches nothing: that of a presigned URL is a secret, and what matches goes into Temporal. `told` are a granule's fields by a message or
   * the ledger, for datasets whose names do not say them.
   */
  async route(uri: string, only?: string, told?: NameFields): Promise<RoutedGranule[]> {
    const found: RoutedGranule[] = [];
    for (const route of await this.#current()) {
      const { dataset, hash, names } = route;
      if (only !== undefined && dataset.name !== only) continue;
      const fields = toldFields(route, uri, told) ?? fieldsAt(dataset.source, names, uri);
      if (fields !== undefined) found.push({ dataset, hash, key: names.key(fields), fields });
    }
    return found;
  }

  /** How messages that are nothing but fields are read, for the datasets of these sources. */
  async messageRules(isOf: (source: Source) => boolean | Promise<boolean>): Promise<FlatRule[]> {
    const rules: FlatRule[] = [];
    for (const { dataset } of await this.#current())
      if (dataset.message !== undefined && (await isOf(dataset.source)))
        rules.push({ ...dataset.message, dataset: dataset.name });
    return rules;
  }

  /** The name of the source that a uri is of, by its prefixes; undefined where there is none. */
  async sourceOf(uri: string): Promise<string | undefined> {
    return (await this.#current()).find(({ dataset }) => isBelow(dataset.source, uri))?.dataset.source.name;
  }

  /** The datasets in force. */
  async datasets(): Promise<readonly Dataset[]> {
    return (await this.#current()).map(({ dataset }) => dataset);
  }

  async #current(): Promise<readonly Route[]> {
    if (Date.now() - this.#readMs > FRESH_MS) {
      const stored = await this.#ledger.datasets();
      this.#routes = stored.map(({ hash, text }) => {
        const known = this.#routes.find((route) => route.hash === hash);
        if (known !== undefined) return known;
        const dataset = datasetOfText(text);
        return { dataset, hash, names: namesOf(dataset) };
      });
      this.#readMs = Date.now();
    }
    return this.#routes;
  }
}

/** The fields that the dataset's messages say, if these are all of them and the source may name the place. */
function toldFields({ dataset, names }: Route, uri: string, told: NameFields | undefined): NameFields | undefined {
  if (told === undefined || dataset.message === undefined || !isBelow(dataset.source, uri)) return undefined;
  const fields = [...names.kinds.keys()].map((name) => [name, told[name]] as const);
  if (fields.some(([, value]) => value === undefined)) return undefined;
  return Object.fromEntries(fields) as NameFields;
}
