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

  /** @throws FreshetError `dataset-file` when the ledger has never seen it. */
  async get({ name, hash }: DatasetReference): Promise<Dataset> {
    const key = `${name}@${hash}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const text = await this.#ledger.datasetText(name, hash);
    if (text === undefined) {
      throw new FreshetError("dataset-file", "the ledger does not know this revision of the dataset file", {
        found: key,
        uri: this.#ledger.uri,
        remedy: "Apply the dataset file again, with the ledger that the workers use",
      });
    }
    const dataset = datasetOfText(text);
    this.#known.set(key, dataset);
    return dataset;
  }
}
