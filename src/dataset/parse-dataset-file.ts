import { dirname, resolve } from "node:path";
import { SECRET_REFERENCE } from "../secrets/index.ts";
import { completeDataset, completeSource } from "./complete.ts";
import type { Dataset, DatasetFile, Source } from "./dataset.ts";
import { datasetSchema, sourcesSchema, withSchema } from "./file-schema.ts";
import { compileNames } from "./name-grammar.ts";
import { NameGrammarError } from "./name-token.ts";
import { DatasetFileError, type Problem, showFound, showPath } from "./problem.ts";
import { type Finding, findingsOf } from "./schema-problems.ts";
import { combinationsOf, countCombinations, fillIn, MAX_COMBINATIONS } from "./template.ts";
import { readYaml, type YamlDocument } from "./yaml-documents.ts";

/**
 * Reads a dataset file. Nothing outside the text is looked at: whether a source answers or a folder exists shows later.
 * @param options.file its path: for messages, and because relative paths are relative to its folder
 * @throws DatasetFileError (a FreshetError `dataset-file`) with everything that is wrong, by line.
 */
export function parseDatasetFile(text: string, options: { readonly file: string }): DatasetFile {
  return new DatasetFileReader(options.file).read(text);
}

const SECRET_KEYS = new Set([
  "s3.endpoint",
  "sqs.queue",
  "sqs.endpoint",
  "amqp.broker",
  "amqp.user",
  "amqp.password",
  "credentials.bearer",
  "credentials.earthdata.token",
]);

/** A dataset with the place where the file declares it. */
interface Declared {
  readonly dataset: Dataset;
  readonly document: YamlDocument;
}

class DatasetFileReader {
  readonly #file: string;
  readonly #baseFolder: string;
  readonly #problems = new Map<string, Problem>();
  readonly #sources = new Map<string, Source>();
  /** Also those that are declared, but not well. */
  readonly #sourceNames = new Set<string>();

  constructor(file: string) {
    this.#file = file;
    this.#baseFolder = dirname(resolve(file));
  }

  read(text: string): DatasetFile {
    const { documents, faults } = readYaml(text);
    for (const { line, fault } of faults) this.#report(line, "", fault, "YAML 1.2");
    const mappings = documents.filter((document) => this.#isMapping(document));
    for (const document of mappings) this.#readSources(document);
    const declared = mappings.flatMap((document) => this.#readDatasets(document));
    this.#refuseTwins(declared);
    if (declared.length === 0 && this.#sources.size === 0 && this.#problems.size === 0) {
      this.#report(1, "", "nothing", "a dataset document");
    }
    if (this.#problems.size > 0) {
      throw new DatasetFileError([...this.#problems.values()].sort((a, b) => a.line - b.line));
    }
    return { sources: [...this.#sources.values()], datasets: declared.map(({ dataset }) => dataset) };
  }

  #isMapping(document: YamlDocument): boolean {
    const { value } = document;
    if (typeof value === "object" && !Array.isArray(value)) {
      this.#refuseSecrets(document, value, []);
      return true;
    }
    this.#report(document.lineOf([]), "", showFound(value), "a mapping with sources or a dataset");
    return false;
  }

  #readSources(document: YamlDocument): void {
    const { sources } = document.value as { readonly sources?: unknown };
    if (sources === undefined) return;
    for (const name of Object.keys(sources ?? {})) {
      if (this.#sourceNames.has(name)) {
        this.#report(document.keyLineOf(["sources", name]), `sources.${name}`, "a second source of this name", "each name once");
      }
      this.#sourceNames.add(name);
    }
    const checked = sourcesSchema.safeParse(sources);
    if (!checked.success) this.#reportFindings(document, findingsOf(checked.error.issues, sources), ["sources"]);
    for (const [name, input] of Object.entries(checked.data ?? {})) {
      this.#sources.set(name, completeSource(name, input, this.#baseFolder));
    }
  }

  #readDatasets(document: YamlDocument): Declared[] {
    const { sources, with: template, ...content } = document.value as Readonly<Record<string, unknown>>;
    if (sources !== undefined && template === undefined && Object.keys(content).length === 0) return [];
    const choices = template === undefined ? { success: true as const, data: {} } : withSchema.safeParse(template);
    if (!choices.success) {
      this.#reportFindings(document, findingsOf(choices.error.issues, template), ["with"]);
      return [];
    }
    const count = countCombinations(choices.data);
    if (count > MAX_COMBINATIONS) {
      this.#report(document.keyLineOf(["with"]), "with", `${count} combinations`, `at most ${MAX_COMBINATIONS}`);
      return [];
    }
    return combinationsOf(choices.data).flatMap((choice) => this.#readDataset(document, fillIn(content, choice)));
  }

  #readDataset(document: YamlDocument, content: unknown): Declared[] {
    const before = this.#problems.size;
    const checked = datasetSchema.safeParse(content);
    if (!checked.success) this.#reportFindings(document, findingsOf(checked.error.issues, content), []);
    const sourceName = (content as { from?: { source?: unknown } | null }).from?.source;
    if (typeof sourceName === "string" && !this.#sourceNames.has(sourceName)) {
      const allowed = [...this.#sourceNames].join(", ") || "the name of a source that the file declares under sources";
      this.#report(document.lineOf(["from", "source"]), "from.source", showFound(sourceName), allowed);
    }
    const source = this.#sources.get(String(sourceName));
    if (!checked.success || source === undefined || this.#problems.size > before) return [];
    const dataset = completeDataset(checked.data, source, this.#baseFolder);
    this.#checkDataset(document, dataset);
    return [{ dataset, document }];
  }

  /** What only shows when the parts are put together. */
  #checkDataset(document: YamlDocument, dataset: Dataset): void {
    this.#checkCollection(document, dataset);
    try {
      compileNames(dataset.match);
    } catch (error) {
      if (!(error instanceof NameGrammarError)) throw error;
      this.#report(document.keyLineOf(["match"]), "match", error.found, error.allowed);
    }
    for (const [index, product] of dataset.products.entries()) {
      const path = ["products", index, "timeseries"];
      if (dataset.scan.drop.includes(product.axis)) {
        this.#report(
          document.keyLineOf(["scan", "drop"]),
          "scan.drop",
          `${showFound(product.axis)}, an axis`,
          "variables that no product needs",
        );
      }
      if (dataset.products.findIndex((other) => other.name === product.name) < index) {
        const at = [...path, "name"];
        this.#report(document.lineOf(at), showPath(at), `a second product named ${product.name}`, "each name once in a dataset");
      }
    }
  }

  #checkCollection(document: YamlDocument, { source, collection }: Dataset): void {
    const { granules } = (document.value as { from: { granules?: unknown } }).from;
    if (source.cmr !== undefined && collection === undefined) {
      const allowed = "the collection that the source's cmr is asked for";
      this.#report(document.keyLineOf(["from"]), "from.collection", "nothing", allowed);
    } else if (source.cmr === undefined && collection !== undefined) {
      const found = `a collection, of a source without cmr`;
      this.#report(document.lineOf(["from", "collection"]), "from.collection", found, `cmr in the source ${source.name}`);
    } else if (collection === undefined && granules !== undefined)
      this.#report(document.lineOf(["from", "granules"]), "from.granules", "patterns of no collection", "a collection beside it");
  }

  /** Two datasets of one name, two products with one store: each would undo the other's work. */
  #refuseTwins(declared: readonly Declared[]): void {
    const names = new Set<string>();
    const stores = new Map<string, string>();
    for (const { dataset, document } of declared) {
      if (names.has(dataset.name)) {
        this.#report(
          document.lineOf(["name"]),
          "name",
          `a second dataset named ${dataset.name}`,
          "each name once; a template needs its {field} in the name",
        );
      }
      names.add(dataset.name);
      for (const [index, product] of dataset.products.entries()) {
        const path = ["products", index, "timeseries", "store"];
        const owner = `${dataset.name}/${product.name}`;
        const other = stores.get(product.store);
        if (other !== undefined && other !== owner) {
          const found = `for ${owner} the store of ${other}`;
          this.#report(document.lineOf(path), showPath(path), found, "a store of its own for each product");
        }
        stores.set(product.store, owner);
      }
    }
  }

  /** Where no key takes a secret, it would end up, unresolved, in messages and stores. */
  #refuseSecrets(document: YamlDocument, value: unknown, path: readonly PropertyKey[]): void {
    if (typeof value === "string") {
      const reference = SECRET_REFERENCE.exec(value)?.[0];
      if (reference === undefined || takesSecret(path)) return;
      this.#report(
        document.lineOf(path),
        showPath(path),
        `the secret ${reference}`,
        "no secret: only keys of a source's s3, sqs, amqp and credentials take one",
      );
    } else if (value !== null && typeof value === "object") {
      for (const [key, member] of Object.entries(value)) {
        this.#refuseSecrets(document, member, [...path, Array.isArray(value) ? Number(key) : key]);
      }
    }
  }

  #reportFindings(document: YamlDocument, findings: readonly Finding[], prefix: readonly PropertyKey[]): void {
    for (const finding of findings) {
      const path = [...prefix, ...finding.path];
      const line = finding.isKey ? document.keyLineOf(path) : document.lineOf(path);
      this.#report(line, showPath(path), finding.found, finding.allowed);
    }
  }

  /** The first problem of a place counts: a template would otherwise report it for every combination. */
  #report(line: number, path: string, found: string, allowed: string): void {
    const place = `${line}:${path}`;
    if (path !== "" && this.#problems.has(place)) return;
    this.#problems.set(path === "" ? `${place}${found}` : place, { file: this.#file, line, path, found, allowed });
  }
}

/** `sources.NAME.sqs.queue` and its like: their schema says which of them do. */
function takesSecret([root, , ...keys]: readonly PropertyKey[]): boolean {
  return root === "sources" && SECRET_KEYS.has(keys.join("."));
}
