import { dirname, resolve } from "node:path";
import { FreshetError } from "../errors/index.ts";
import { SECRET_REFERENCE } from "../secrets/index.ts";
import { positionOf } from "./calendar.ts";
import { formsOf } from "./catalog-schema.ts";
import { collectionProblems } from "./collection-problems.ts";
import { completeDataset, completeSource } from "./complete.ts";
import {
  type Dataset,
  type DatasetFile,
  datesOf,
  type ForecastProduct,
  type Product,
  type Runs,
  type Source,
} from "./dataset.ts";
import { datasetSchema, MATCH_FORM, sourcesSchema, withSchema } from "./file-schema.ts";
import { compileGrammar, compileNames } from "./name-grammar.ts";
import { NameGrammarError } from "./name-token.ts";
import { describeViews, namedView } from "./named-view.ts";
import { DatasetFileError, type Problem, showFound, showPath } from "./problem.ts";
import { type Finding, findingsOf } from "./schema-problems.ts";
import { atStage, stagesOf, stagesSchema } from "./stages.ts";
import { combinationsOf, countCombinations, fillIn, MAX_COMBINATIONS } from "./template.ts";
import { readYaml, type YamlDocument } from "./yaml-documents.ts";

export interface ParseOptions {
  /** The file's path: for messages, and because relative paths are relative to its folder. */
  readonly file: string;
  /** The stage that is meant, in a file that has stages; such a file is read at all of them, and wrong if it is at one. */
  readonly stage?: string | undefined;
}

/**
 * Reads a dataset file. Nothing outside the text is looked at: whether a source answers or a folder exists shows later.
 * @throws DatasetFileError (a FreshetError `dataset-file`) with everything that is wrong, by line; FreshetError `usage` where a file that has
 *   stages is read without one, or at one that it does not have.
 */
export function parseDatasetFile(text: string, { file, stage }: ParseOptions): DatasetFile {
  const problems = new Problems(file);
  const { documents, faults } = readYaml(text);
  for (const { line, fault } of faults) problems.report(line, "", fault, "YAML 1.2");
  const mappings = documents.filter((document) => isMapping(document, problems));
  // Overlays that are none would only be misunderstood.
  if (mappings.filter((document) => !hasGoodStages(document, problems)).length > 0) problems.end(1);
  const stages = stagesOf(mappings);
  const read = (at: readonly YamlDocument[]): DatasetFileReader => new DatasetFileReader(file, problems, at);
  if (stages.length === 0) {
    if (stage !== undefined) throw stageError("the dataset file has no stages", file, stage, "a file with `stages`");
    const { sources, declared } = read(mappings);
    problems.end(sources.length + declared.length);
    return { sources, datasets: declared.map(({ dataset }) => dataset) };
  }
  const readers = stages.map((name) => read(mappings.map((document) => atStage(document, name))));
  refuseTwins(
    readers.flatMap(({ declared }) => declared),
    problems,
  );
  problems.end(readers.length);
  const found = readers[stages.indexOf(stage ?? "")];
  const what = stage === undefined ? "the dataset file has stages, and none is named" : "the dataset file has no such stage";
  if (found === undefined) throw stageError(what, file, stage, stages.join(", "));
  return { sources: found.sources, datasets: found.declared.map(({ dataset }) => dataset) };
}

function stageError(summary: string, path: string, found: string | undefined, expected: string): FreshetError {
  return new FreshetError("usage", summary, { path, found, expected, remedy: "Name one of the file's stages: --stage NAME" });
}

const SECRET_KEYS = new Set([
  "s3.endpoint",
  "mirror.endpoint",
  "sqs.queue",
  "sqs.endpoint",
  "amqp.broker",
  "amqp.user",
  "amqp.password",
  "credentials.bearer",
  "credentials.earthdata.token",
]);

const NOTIFY_SECRET_KEYS = new Set([
  "webhook.url",
  "webhook.token",
  "webhook.hmac",
  "sns.topic",
  "sns.endpoint",
  "sqs.queue",
  "sqs.endpoint",
  "amqp.broker",
  "amqp.user",
  "amqp.password",
  "github.token",
  "github.endpoint",
]);
const NO_KEYS: ReadonlySet<string> = new Set();

/** A dataset with the place where the file declares it. */
interface Declared {
  readonly dataset: Dataset;
  readonly document: YamlDocument;
}

/** What is wrong with a file, as it is found. */
class Problems {
  readonly #file: string;
  readonly #found = new Map<string, Problem>();

  constructor(file: string) {
    this.#file = file;
  }

  get count(): number {
    return this.#found.size;
  }

  /** The first problem of a place counts: a template would otherwise report it for every combination. */
  report(line: number, path: string, found: string, allowed: string): void {
    const place = `${line}:${path}`;
    if (path !== "" && this.#found.has(place)) return;
    this.#found.set(path === "" ? `${place}${found}` : place, { file: this.#file, line, path, found, allowed });
  }

  reportFindings(document: YamlDocument, findings: readonly Finding[], prefix: readonly PropertyKey[]): void {
    for (const finding of findings) {
      const path = [...prefix, ...finding.path];
      const line = finding.isKey ? document.keyLineOf(path) : document.lineOf(path);
      this.report(line, showPath(path), finding.found, finding.allowed);
    }
  }

  /** @throws DatasetFileError with all of them, in the order of the file. */
  end(declared: number): void {
    if (declared === 0 && this.#found.size === 0) this.report(1, "", "nothing", "a dataset document");
    if (this.#found.size > 0) throw new DatasetFileError([...this.#found.values()].sort((a, b) => a.line - b.line));
  }
}

function isMapping(document: YamlDocument, problems: Problems): boolean {
  const { value } = document;
  if (typeof value === "object" && !Array.isArray(value)) return true;
  problems.report(document.lineOf([]), "", showFound(value), "a mapping with sources or a dataset");
  return false;
}

function hasGoodStages(document: YamlDocument, problems: Problems): boolean {
  const { stages, with: template } = document.value as { readonly stages?: unknown; readonly with?: unknown };
  if (stages === undefined) return true;
  const before = problems.count;
  const checked = stagesSchema.safeParse(stages);
  if (!checked.success) problems.reportFindings(document, findingsOf(checked.error.issues, stages), ["stages"]);
  if (template !== null && typeof template === "object" && Object.hasOwn(template, "stage")) {
    problems.report(
      document.keyLineOf(["with", "stage"]),
      "with.stage",
      "a field named stage",
      "another name: {stage} is the stage",
    );
  }
  return problems.count === before;
}

/** Reads the documents of a file, or of one stage of it. */
class DatasetFileReader {
  readonly declared: readonly Declared[];
  readonly #baseFolder: string;
  readonly #problems: Problems;
  readonly #sources = new Map<string, Source>();
  /** Also those that are declared, but not well. */
  readonly #sourceNames = new Set<string>();

  constructor(file: string, problems: Problems, documents: readonly YamlDocument[]) {
    this.#baseFolder = dirname(resolve(file));
    this.#problems = problems;
    for (const document of documents) this.#refuseSecrets(document, document.value, []);
    for (const document of documents) this.#readSources(document);
    this.declared = documents.flatMap((document) => this.#readDatasets(document));
    refuseTwins(this.declared, problems);
  }

  get sources(): Source[] {
    return [...this.#sources.values()];
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
      const source = completeSource(name, input, this.#baseFolder);
      this.#sources.set(name, source);
      this.#checkMirror(document, source);
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
    const before = this.#problems.count;
    const checked = datasetSchema.safeParse(content);
    if (!checked.success) this.#reportFindings(document, findingsOf(checked.error.issues, content), []);
    const { match, from } = content as { match?: unknown; from?: { source?: unknown; message?: unknown } | null };
    if (match === undefined && from?.message === undefined)
      this.#report(document.lineOf(["match"]), "match", "nothing", MATCH_FORM);
    const sourceName = from?.source;
    if (typeof sourceName === "string" && !this.#sourceNames.has(sourceName)) {
      const allowed = [...this.#sourceNames].join(", ") || "the name of a source that the file declares under sources";
      this.#report(document.lineOf(["from", "source"]), "from.source", showFound(sourceName), allowed);
    }
    const source = this.#sources.get(String(sourceName));
    if (!checked.success || source === undefined || this.#problems.count > before) return [];
    const dataset = completeDataset(checked.data, source, this.#baseFolder);
    this.#checkDataset(document, dataset);
    return [{ dataset, document }];
  }

  /** What only shows when the parts are put together. */
  #checkDataset(document: YamlDocument, dataset: Dataset): void {
    this.#checkCollection(document, dataset);
    this.#checkReadable(document, dataset);
    this.#checkMessage(document, dataset);
    try {
      compileNames(dataset.match);
    } catch (error) {
      if (!(error instanceof NameGrammarError)) throw error;
      this.#report(document.keyLineOf(["match"]), "match", error.found, error.allowed);
    }
    for (const [index, product] of dataset.products.entries()) {
      const path = ["products", index, product.kind];
      if (product.kind === "forecast") this.#checkForecast(document, dataset, product, path);
      this.#checkKeep(document, dataset, product, path);
      if (product.kind === "collection" && this.#problems.count === 0) {
        for (const { key, found, allowed } of collectionProblems(dataset, product))
          this.#report(document.keyLineOf([...path, key]), showPath([...path, key]), found, allowed);
      }
      if (dataset.scan.drop.some((name) => isDroppedBy(product.axis, name))) {
        this.#report(
          document.keyLineOf(["scan", "drop"]),
          "scan.drop",
          `${showFound(product.axis)}, an axis`,
          "variables that no product needs",
        );
      }
      if (datesOf(product) !== datesOf(dataset.products[0] as Product)) {
        const at = [...path, "calendar"];
        const allowed = "the same calendar of dates in all products: granules have one valid time";
        this.#report(document.keyLineOf(at), showPath(at), `dates of ${datesOf(product)}`, allowed);
      }
      if (dataset.products.findIndex((other) => other.name === product.name) < index) {
        const at = [...path, "name"];
        this.#report(document.lineOf(at), showPath(at), `a second product named ${product.name}`, "each name once in a dataset");
      }
    }
  }

  /** What one product keeps stays in all, so `keep` of one alone would keep nothing out. */
  #checkKeep(document: YamlDocument, { products }: Dataset, product: Product, path: readonly PropertyKey[]): void {
    const at = [...path, "keep"];
    const say = (found: string, allowed: string): void => this.#report(document.lineOf(at), showPath(at), found, allowed);
    if (product.keep === undefined) return;
    const other = products.find(({ keep }) => keep === undefined);
    if (other !== undefined) say(`keep, which ${other.name} has not`, "keep in every product of the dataset, or in none");
    if (product.kind === "timeseries" && product.keep.front === "cut" && product.calendar.fromMs !== undefined)
      say("front: cut, with calendar.from", "front: keep, or a calendar without from");
  }

  /** Granules of a forecast are told by their run: their names say it, or when they are valid, and then the file or their lead tells of it. */
  #checkForecast(document: YamlDocument, dataset: Dataset, product: ForecastProduct, path: readonly PropertyKey[]): void {
    const { runs, match } = dataset;
    if (this.#problems.count > 0) return;
    if (runs === undefined) {
      const allowed = "the dataset's runs: { every: 6h, leads: 0h..48h/1h }";
      this.#report(document.keyLineOf(path), showPath(path), "a forecast without runs", allowed);
      return;
    }
    for (const text of match) {
      const { kinds } = compileGrammar(text);
      const saying = (missing: string, allowed: string): void =>
        this.#report(document.keyLineOf(["match"]), "match", `${text}, which does not say the ${missing}`, allowed);
      if (!kinds.has("run") && !kinds.has("valid")) saying("run", "a field {run}, or {valid}");
      if (runs.nowcast !== undefined && !kinds.has("kind")) saying("kind", "a field {kind}");
    }
    const known = new Set(runs.leadsMs);
    const at = [...path, "views"];
    for (const view of product.views) {
      if (view.kind === "offset" && !known.has(view.leadMs))
        this.#report(document.keyLineOf(at), showPath(at), `offset ${view.leadMs / 3_600_000}h`, "one of the run's leads");
      if (view.kind === "valid" && !isValidTimeOf(runs, view.validMs)) {
        const found = `valid ${new Date(view.validMs).toISOString()}`;
        this.#report(document.keyLineOf(at), showPath(at), found, "a moment that one of the runs has a lead for");
      }
    }
  }

  /** What a bucket announces would be our own copies too. */
  #checkMirror(document: YamlDocument, { name, at, allow, mirror }: Source): void {
    if (mirror === undefined || !mirror.startsWith("s3:")) return;
    const above = [at, ...allow].find((prefix) => mirror.startsWith(prefix));
    if (above === undefined) return;
    const allowed = "a place that the source does not announce";
    this.#report(document.keyLineOf(["sources", name]), `sources.${name}.mirror`, `${mirror}, below ${above}`, allowed);
  }

  /** References to HTTP carry no credentials, and Icechunk's readers have none to send. */
  #checkReadable(document: YamlDocument, { source: { name, at, credentials, mirror } }: Dataset): void {
    if (credentials === undefined || mirror !== undefined || !/^https?:/.test(at)) return;
    const found = `a source that wants credentials by HTTP, without mirror (${name})`;
    this.#report(
      document.lineOf(["from", "source"]),
      "from.source",
      found,
      "mirror in the source: readers of a store cannot send them",
    );
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

  #checkMessage(document: YamlDocument, { message, match, source }: Dataset): void {
    const { from } = document.value as { readonly from?: { readonly select?: unknown } };
    if (message === undefined) {
      if (from?.select !== undefined)
        this.#report(document.keyLineOf(["from", "select"]), "from.select", "select without message", "both, or neither");
      return;
    }
    const beginning = message.uri.slice(0, message.uri.indexOf("{"));
    if (![source.at, ...source.allow].some((prefix) => prefix.startsWith(beginning) || beginning.startsWith(prefix))) {
      const allowed = `a uri below ${[source.at, ...source.allow].join(" or ")}`;
      this.#report(document.lineOf(["from", "message", "uri"]), "from.message.uri", showFound(message.uri), allowed);
    }
    const fields = Object.keys(message.fields).sort().join(", ");
    for (const grammar of match) {
      const named = fieldsOfGrammar(grammar);
      if (named !== undefined && named !== fields)
        this.#report(document.keyLineOf(["match"]), "match", `the fields ${named}`, `those of from.message: ${fields}`);
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
        "no secret: only keys of a source's s3, mirror, sqs, amqp and credentials, and of notify, take one",
      );
    } else if (value !== null && typeof value === "object") {
      for (const [key, member] of Object.entries(value)) {
        this.#refuseSecrets(document, member, [...path, Array.isArray(value) ? Number(key) : key]);
      }
    }
  }

  #reportFindings(document: YamlDocument, findings: readonly Finding[], prefix: readonly PropertyKey[]): void {
    this.#problems.reportFindings(document, findings, prefix);
  }

  #report(line: number, path: string, found: string, allowed: string): void {
    this.#problems.report(line, path, found, allowed);
  }
}

/** Two datasets of one name, two products with one store: each would undo the other's work. */
function refuseTwins(declared: readonly Declared[], problems: Problems): void {
  const names = new Set<string>();
  const stores = new Map<string, string>();
  for (const { dataset, document } of declared) {
    if (names.has(dataset.name)) {
      problems.report(
        document.lineOf(["name"]),
        "name",
        `a second dataset named ${dataset.name}`,
        "each name once; a template needs its {field} in the name",
      );
    }
    names.add(dataset.name);
    for (const [index, product] of dataset.products.entries()) {
      const path = ["products", index, product.kind, "store"];
      const owner = `${dataset.name}/${product.name}`;
      const other = stores.get(product.store);
      if (other !== undefined && other !== owner) {
        const found = `for ${owner} the store of ${other}`;
        problems.report(document.lineOf(path), showPath(path), found, "a store of its own for each product");
      }
      stores.set(product.store, owner);
      for (const [at, form] of (product.also ?? []).entries()) {
        const { kind, to } = form;
        const place = ["products", index, product.kind, "also", at, kind, "to"];
        const taken = stores.get(to);
        if (taken !== undefined)
          problems.report(document.lineOf(place), showPath(place), `the folder of ${taken}`, "a folder of its own for each form");
        stores.set(to, `${owner} as ${kind}`);
        if (!("view" in form) || form.view === undefined || namedView(product, form.view) !== undefined) continue;
        const ofView = ["products", index, product.kind, "also", at, kind, "view"];
        problems.report(document.lineOf(ofView), showPath(ofView), form.view, `a view of the product: ${describeViews(product)}`);
      }
      const stac = formsOf(dataset, product).find(({ kind }) => kind === "stac");
      if (stac !== undefined) {
        const taken = stores.get(stac.to);
        if (taken !== undefined) {
          const path = ["catalog", "stac", "to"];
          problems.report(
            document.lineOf(path),
            showPath(path),
            `the folder of ${taken}`,
            "a folder of its own for each dataset",
          );
        }
        stores.set(stac.to, `${owner} as stac`);
      }
    }
  }
}

/** Whether what is dropped by a name, or by the path of a variable or group, is this variable or has it in it. */
function isDroppedBy(axis: string, dropped: string): boolean {
  return `/${axis}/`.startsWith(`${dropped}/`) || axis.split("/").at(-1) === dropped;
}

/** `sources.NAME.sqs.queue`, `notify.0.webhook.token` and their like: their schema says which of them do. */
function isValidTimeOf({ cycle, leadsMs, nowcast }: Runs, validMs: number): boolean {
  const nowcasts = nowcast?.leadsMs.map((ms) => ms + nowcast.offsetMs) ?? [];
  return [...leadsMs, ...nowcasts].some((leadMs) => positionOf(cycle, validMs - leadMs, cycle.anchorMs) !== undefined);
}

function takesSecret([root, , ...keys]: readonly PropertyKey[]): boolean {
  if (root === "catalog") return keys.slice(-2).join(".") === "s3.endpoint" || keys.join(".") === "endpoint";
  if (root === "products") return keys[1] === "also" && keys.slice(-2).join(".") === "s3.endpoint";
  return (root === "sources" ? SECRET_KEYS : root === "notify" ? NOTIFY_SECRET_KEYS : NO_KEYS).has(keys.join("."));
}

/** The names of a grammar's fields, in order; undefined for a grammar that is wrong, which is told elsewhere. */
function fieldsOfGrammar(grammar: string): string | undefined {
  try {
    return [...compileGrammar(grammar).kinds.keys()].sort().join(", ");
  } catch (error) {
    if (error instanceof NameGrammarError) return undefined;
    throw error;
  }
}
