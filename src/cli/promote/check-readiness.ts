import type { Client } from "@temporalio/client";
import { canonicalDataset, type Dataset } from "../../dataset/index.ts";
import type { Ledger } from "../../ledger/index.ts";
import type { CheckOptions } from "../../publication/index.ts";
import type { ScanStore } from "../../scan/index.ts";
import { namedProducts } from "../applied-dataset.ts";
import { lookAtTemporal } from "../temporal-view.ts";

/** One thing that has to be so before a dataset goes to the next stage. */
export interface Readiness {
  readonly check: "applied" | "healthy" | "published" | "verified";
  readonly ok: boolean;
  readonly found: string;
  /** What to do; "" when all is well. */
  readonly remedy: string;
}

export interface ReadinessContext extends CheckOptions {
  readonly client: Client;
  readonly ledger: Ledger;
  readonly scans: ScanStore;
}

/**
 * Whether a dataset is fit for the next stage: it runs as the file says now, nothing hinders it, each product is published, and what readers
 * see is what the sources say. What comes after something that fails is not looked at.
 */
export async function checkReadiness(dataset: Dataset, context: ReadinessContext): Promise<Readiness[]> {
  const checks: Readiness[] = [];
  for (const check of [checkApplied, checkHealth, checkPublished, checkVerified]) {
    checks.push(await check(dataset, context));
    if (checks.at(-1)?.ok === false) break;
  }
  return checks;
}

async function checkApplied(dataset: Dataset, { ledger }: ReadinessContext): Promise<Readiness> {
  const { name, hash } = canonicalDataset(dataset);
  const current = await ledger.currentDataset(name);
  const remedy = "Apply the file at this stage, and let it run: freshet apply FILE --stage STAGE";
  if (current === undefined) return { check: "applied", ok: false, found: "it is not applied", remedy };
  if (current.hash === hash) return { check: "applied", ok: true, found: `${name}@${hash.slice(0, 12)}`, remedy: "" };
  return { check: "applied", ok: false, found: `another file runs, ${name}@${current.hash.slice(0, 12)}`, remedy };
}

async function checkHealth({ name }: Dataset, { client, ledger }: ReadinessContext): Promise<Readiness> {
  const { writer, troubles, held } = await lookAtTemporal(client, name, 1);
  const { quarantined } = await ledger.counts(name);
  const reasons = [...(writer === undefined ? ["its workflow does not run"] : []), ...troubles, ...held];
  const waiting = quarantined === 0 ? "" : `, ${quarantined} in quarantine`;
  if (reasons.length === 0) return { check: "healthy", ok: true, found: `${writer?.stage}${waiting}`, remedy: "" };
  return { check: "healthy", ok: false, found: reasons.join("; "), remedy: `See freshet status ${name}` };
}

async function checkPublished(dataset: Dataset, { ledger }: ReadinessContext): Promise<Readiness> {
  const versions: string[] = [];
  for (const { name } of dataset.products) {
    const [last] = await ledger.publications(dataset.name, name, 1);
    if (last === undefined) {
      const remedy = `Bring granules in: freshet ingest, freshet backfill ${dataset.name}`;
      return { check: "published", ok: false, found: `${name} has no version`, remedy };
    }
    versions.push(`${name} #${last.sequence} with ${last.granules} granules`);
  }
  return { check: "published", ok: true, found: versions.join(", "), remedy: "" };
}

async function checkVerified(dataset: Dataset, { ledger, scans, ...options }: ReadinessContext): Promise<Readiness> {
  const { checkProduct } = await import("../../publication/index.ts");
  let compared = 0;
  for (const product of namedProducts(dataset, undefined)) {
    const check = await checkProduct(dataset, product, { ledger, scans }, options);
    const [wrong] = check.disagreements;
    if (wrong !== undefined) {
      const found = `${product.name}: ${check.disagreements.length} disagreements, the first: ${wrong.where}: ${wrong.found}`;
      return { check: "verified", ok: false, found, remedy: `See freshet verify ${dataset.name}` };
    }
    compared += check.compared.reduce((sum, { count }) => sum + count, 0);
  }
  return { check: "verified", ok: true, found: `${compared} comparisons agree`, remedy: "" };
}
