import type { DatasetReference } from "../contract/index.ts";
import { type Dataset, datasetOfText } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import type { Ledger } from "../ledger/index.ts";

/** Dataset files as the ledger keeps them, by name and hash; what a hash stands for never changes. */
export class DatasetFiles {
  readonly #ledger: Ledger;
  readonly #known = new Map<string, Dataset>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** @throws FreshetError `unreachable` when this ledger has never seen it: another worker may have the right one. */
  async get({ name, hash }: DatasetReference): Promise<Dataset> {
    const key = `${name}@${hash}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const text = await this.#ledger.datasetText(name, hash);
    if (text === undefined) {
      throw new FreshetError("unreachable", "this worker's ledger does not know this revision of the dataset file", {
        found: key,
        uri: this.#ledger.uri,
        remedy:
          "Let all workers of this Temporal namespace use the ledger that the file was applied to (FRESHET_HOME, FRESHET_LEDGER)",
      });
    }
    const dataset = datasetOfText(text);
    this.#known.set(key, dataset);
    return dataset;
  }
}
