import type { GranuleReference } from "../contract/index.ts";
import {
  type CollectionProduct,
  type Dataset,
  type DriftPolicy,
  driftAction,
  type ForecastProduct,
  type Product,
  runTimeOf,
  validPrecisionMs,
  validTimeOf,
} from "../dataset/index.ts";
import { FreshetError, isFreshetError } from "../errors/index.ts";
import type { Ledger, Template } from "../ledger/index.ts";
import {
  actionFor,
  axisOf,
  type CopyPlan,
  collectionFacts,
  collectionTime,
  compareIntervals,
  compareSchemas,
  compareTimes,
  type Drift,
  describeDrifts,
  driftsFrom,
  ForecastCells,
  type GranuleShape,
  groupOf,
  misfitOfSteps,
  nameTimeOf,
  placementRules,
  planCopy,
  referenceTimeOf,
  requireFreeNames,
  requirePublishable,
  requireSingleSteps,
  schemaOf,
  shapeFor,
  templateFor,
  wholeChunks,
  withoutDropped,
} from "../products/index.ts";
import type { Scan, ScanAddress, ScanStore } from "../scan/index.ts";
import type { VirtualGroup } from "../virtual/index.ts";

/** What the gate found out about a granule that passed. */
export interface Passed {
  /** Instant of the first step, milliseconds since 1970. */
  readonly validMs: number;
  readonly steps: number;
  /** Instant of the last step, where there are several. */
  readonly lastMs?: number | undefined;
  /** Forecast reference time, milliseconds since 1970, where a product is a forecast. */
  readonly runMs?: number | undefined;
  /** The epoch whose form it has, from 1. */
  readonly epoch: number;
}

interface Candidate {
  readonly product: Product;
  readonly root: VirtualGroup;
  readonly shape: GranuleShape;
  readonly runMs?: number | undefined;
  /** Its shape with whole chunks, where its end cuts some and they may be copied. */
  readonly whole: GranuleShape | undefined;
}

/**
 * What becomes of a granule by the policy of its dataset: it passes (having begun an epoch for a reason, perhaps), or would pass as a copy in the product's
 * own form, or is refused.
 */
export type GateAnswer =
  | { readonly kind: "passed"; readonly passed: Passed; readonly began?: string | undefined }
  | { readonly kind: "copy"; readonly plan: CopyPlan; readonly because: string }
  | { readonly kind: "refused"; readonly reason: string };

/**
 * Holds a scan against every product of the dataset. The first granule of a product becomes its template; of several at
 * once one does, and the others are held against it. A granule fits if it has the form of any epoch, the newest being asked first. What is done about one that
 * fits none, the policy `drift` says; a copy is planned in the newest form that it can have.
 * @param options.accept an operator has accepted its form: where it fits no epoch, it begins the next one.
 * @throws FreshetError `drift` with every disagreement as found and expected, for quarantine; `unsupported` for what a product cannot hold.
 */
export async function passGate(
  granule: GranuleReference,
  dataset: Dataset,
  identity: string,
  scanned: { readonly scan: Scan; readonly address: ScanAddress },
  parts: { readonly ledger: Ledger; readonly scans: ScanStore },
  options: { readonly accept?: boolean } = {},
): Promise<GateAnswer> {
  const policy = dataset.policies.drift;
  // All of it is asked before the first template is made: a granule that is refused is nobody's measure.
  const root = withoutDropped(scanned.scan.root, dataset.scan.drop);
  let candidates: Candidate[];
  try {
    candidates = dataset.products.map((product) => candidateFor(root, granule, dataset, product));
  } catch (error) {
    if (!isFreshetError(error, "drift") || driftAction(policy, "place") !== "refuse") throw error;
    return { kind: "refused", reason: refusal(error.message) };
  }
  const [first] = candidates;
  if (first === undefined) throw new FreshetError("dataset-file", "the dataset has no product");
  const runMs = candidates.find((candidate) => candidate.runMs !== undefined)?.runMs;
  const steps = first.shape.validMs.length;
  const times = { validMs: first.shape.validMs[0] as number, steps, ...(steps > 1 && { lastMs: first.shape.validMs.at(-1) }) };
  const passed = { ...times, ...(runMs === undefined ? {} : { runMs }) };
  const template = { key: granule.key, identity, scan: scanned.address };
  const isCut = candidates.some(({ whole }) => whole !== undefined);
  let began: string | undefined;

  for (;;) {
    const known = await parts.ledger.templates(dataset.name);
    const newest = known.reduce((last, { epoch }) => Math.max(last, epoch), 0);
    const misfits: Misfit[] = [];
    for (let epoch = newest; epoch >= 1; epoch--) {
      const misfit = await misfitFrom(epoch, known, candidates, dataset, parts.scans);
      if (misfit !== undefined) misfits.push(misfit);
      if (misfit !== undefined || isCut) continue;
      // A product that was declared later takes its form of this epoch from the first granule that has it.
      await establish(epoch, known, candidates, dataset, template, parts.ledger);
      return { kind: "passed", passed: { ...passed, epoch }, ...(began === undefined ? {} : { began }) };
    }
    const [latest] = misfits;
    if (latest !== undefined && options.accept !== true) {
      const answer = answerByPolicy(policy, misfits, latest);
      if (answer !== undefined) return answer;
      began = describeDrifts(latest.drifts);
    }
    if (isCut) return inWholeChunks(candidates);
    // Several may try to begin the same epoch: whoever does not is held against who did.
    await establish(newest + 1, known, candidates, dataset, template, parts.ledger);
  }
}

/** In what a granule differs from an epoch. */
interface Misfit {
  readonly drifts: readonly Drift[];
  /** The granule that gave the epoch its form. */
  readonly key: string;
  readonly plan: CopyPlan | string;
}

/** Undefined: it begins an epoch. @throws FreshetError `drift`. */
function answerByPolicy(policy: DriftPolicy, misfits: readonly Misfit[], latest: Misfit): GateAnswer | undefined {
  for (const { drifts, plan } of misfits) {
    if (actionFor(policy, drifts) !== "native" || typeof plan === "string") continue;
    return { kind: "copy", plan, because: describeDrifts(drifts) };
  }
  const { drifts, key, plan } = latest;
  const action = actionFor(policy, drifts);
  if (action === "epoch") return undefined;
  const found = describeDrifts(drifts);
  if (action === "refuse") return { kind: "refused", reason: refusal(`${found}. The dataset's form is that of ${key}`) };
  const noCopy = action === "native" && typeof plan === "string" ? `; no copy in it can be made: ${plan}` : "";
  throw new FreshetError("drift", "the granule does not fit the dataset", {
    found,
    remedy: `The dataset's form is that of ${key}${noCopy}`,
  });
}

function refusal(why: string): string {
  return `refused, as the dataset file wants (policies.drift): ${why}`;
}

/** A granule that has a form of its own, but for chunks that its end cuts. */
function inWholeChunks(candidates: readonly Candidate[]): GateAnswer {
  const cut = candidates.find(({ whole }) => whole !== undefined);
  const whole = cut?.whole as GranuleShape;
  const drifts = driftsFrom(whole, (cut as Candidate).shape);
  const plan = planCopy(whole, (cut as Candidate).shape, drifts);
  if (typeof plan !== "string")
    return { kind: "copy", plan, because: `it ends inside a chunk along the time axis: ${describeDrifts(drifts)}` };
  throw new FreshetError("unsupported", "the granule ends inside a chunk along the time axis", {
    found: describeDrifts(drifts),
    remedy: plan,
  });
}

function candidateFor(root: VirtualGroup, granule: GranuleReference, dataset: Dataset, product: Product): Candidate {
  if (product.kind === "collection" && product.along !== "coordinate") return candidateInOrder(root, granule, product);
  const validMs = nameTimeOf(validTimeOf(granule.fields, dataset.runs), axisOf(product));
  const shape = shapeFor(product, root, { validMs, precisionMs: validPrecisionMs(dataset.match) });
  const runMs = product.kind === "forecast" ? runOf(product, granule.fields, root) : undefined;
  const reason = misfitOf(product, dataset, granule.fields, shape, runMs);
  if (reason !== undefined) throw new FreshetError("drift", `the granule has no place in ${product.name}`, { found: reason });
  const whole = driftAction(dataset.policies.drift, "chunks") === "native" ? wholeChunks(shape) : undefined;
  requirePublishable(whole ?? shape);
  if (product.kind === "forecast") {
    requireFreeNames(root, groupOf(shape.axisPath));
    requireSingleSteps(shape);
  }
  return { product, root, shape, runMs, whole };
}

/** A granule of a collection that has its place by what its name says. */
function candidateInOrder(root: VirtualGroup, { key, fields }: GranuleReference, product: CollectionProduct): Candidate {
  // Its file's name is known once it is on record.
  const facts = collectionFacts(product, fields, key);
  const validMs = collectionTime(product, fields);
  if (typeof facts === "string" || validMs === undefined) {
    const found = typeof facts === "string" ? facts : "its name does not say when it is valid";
    throw new FreshetError("drift", `the granule has no place in ${product.name}`, { found });
  }
  const shape = shapeFor(product, root, { validMs, fields: facts.fields });
  requirePublishable(shape);
  return { product, root, shape, whole: undefined };
}

/** Why a granule has no place in a product, as far as that shows without the others; undefined when it has one. */
function misfitOf(
  product: Product,
  dataset: Dataset,
  fields: GranuleReference["fields"],
  shape: GranuleShape,
  runMs: number | undefined,
): string | undefined {
  switch (product.kind) {
    case "forecast":
      return misfitOfRun(product, fields, shape, runMs);
    case "timeseries":
      return misfitOfSteps(shape.validMs, placementRules(dataset, product, shape.validMs.length));
    case "collection":
      return undefined;
  }
}

/** Why a granule has no place among a model's runs; undefined when it has. */
function misfitOfRun(
  { runs }: ForecastProduct,
  { kind }: GranuleReference["fields"],
  { validMs }: GranuleShape,
  runMs: number | undefined,
): string | undefined {
  if (runMs === undefined) return "neither its name nor a coordinate forecast_reference_time says its run";
  const place = ForecastCells.of(runs).placeOf({ runMs, kind }, validMs);
  return typeof place === "string" ? place : undefined;
}

/** The run by the granule's name, or else by the file. @throws FreshetError `drift` when they disagree. */
function runOf(product: ForecastProduct, fields: GranuleReference["fields"], root: VirtualGroup): number | undefined {
  const run = runTimeOf(fields, product.runs);
  const own = referenceTimeOf(root, axisOf(product));
  if (run !== undefined && own !== undefined && own !== run) {
    throw new FreshetError("drift", "the file's own forecast reference time is not the one in its name", {
      found: new Date(own).toISOString(),
      expected: new Date(run).toISOString(),
      remedy: "Correct the name grammar, or skip the granule",
    });
  }
  return run ?? own;
}

/** In what the granule differs from an epoch; undefined when it fits. */
async function misfitFrom(
  epoch: number,
  known: readonly Template[],
  candidates: readonly Candidate[],
  { scan: { drop }, attributes: rules }: Dataset,
  scans: ScanStore,
): Promise<Misfit | undefined> {
  let misfit: Misfit | undefined;
  for (const { product, shape, root } of candidates) {
    const template = known.find((other) => other.product === product.name && other.epoch === epoch);
    if (template === undefined) continue;
    const expectedRoot = withoutDropped((await scans.get(template.scan)).root, drop);
    const expected = templateFor(product, expectedRoot);
    const drifts = [
      ...compareSchemas(schemaOf(expected, expectedRoot, rules), schemaOf(shape, root, rules)),
      ...compareTimes(expected, shape),
      ...(isMixing(product) ? compareIntervals(expected, shape) : []),
    ];
    if (drifts.length === 0) continue;
    const plan = planCopy(expected, shape, drifts);
    // Every product has to be able to take the copy.
    const before = misfit?.drifts ?? [];
    const news = drifts.filter(({ path, fact }) => !before.some((other) => other.path === path && other.fact === fact));
    misfit = {
      drifts: [...before, ...news],
      key: misfit?.key ?? template.key,
      plan: typeof plan === "string" ? plan : (misfit?.plan ?? plan),
    };
  }
  return misfit;
}

/** Whether a view strings leads of any length together: there, fields of other intervals would stand side by side. */
function isMixing(product: Product): boolean {
  if (product.kind !== "forecast" || product.intervals === "mixed" || product.runs.cycle.kind !== "fixed") return false;
  return product.views.some(({ kind }) => kind === "best" || kind === "whole");
}

async function establish(
  epoch: number,
  known: readonly Template[],
  candidates: readonly Candidate[],
  { name }: Dataset,
  template: Pick<Template, "key" | "identity" | "scan">,
  ledger: Ledger,
): Promise<void> {
  for (const { product } of candidates) {
    if (known.some((other) => other.product === product.name && other.epoch === epoch)) continue;
    await ledger.establishTemplate(name, product.name, template, epoch);
  }
}
