import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Dataset, Product } from "../../dataset/index.ts";
import { isFreshetError } from "../../errors/index.ts";
import type { Ledger, Publication } from "../../ledger/index.ts";
import { lookAtProduct, type ProductState, readState, StaleSources } from "../../publication/index.ts";

/** A version as it is listed. */
export interface ListedVersion {
  readonly id: string;
  /** Number of the publication; of a candidate the one that it would be. Undefined for what Freshet did not write. */
  readonly sequence: number | undefined;
  readonly kind: string;
  readonly writtenMs: number;
  /** Undefined where neither the ledger nor the store can tell. */
  readonly granules: number | undefined;
  /** Granules whose bytes are not where references point any more; undefined for those that were not looked at. */
  readonly stale: number | undefined;
  readonly marks: readonly ("current" | "held" | "expired" | "candidate")[];
  readonly what: string;
}

/** Versions whose granules are counted for stale ones: each costs reading its layout. */
const LOOKED_AT = 20;
/** Snapshots that nobody sees, the youngest, among which candidates are looked for. */
const MOST_CANDIDATES = 200;
const MOST_PUBLICATIONS = 1_000_000;
const CANDIDATE = "candidate, not published: ";

/** The versions of a product, newest first, at most `limit`; with `candidates` also those that are written and not published. */
export async function listVersions(
  ledger: Ledger,
  dataset: Dataset,
  product: Product,
  { limit, candidates }: { readonly limit: number; readonly candidates: boolean },
): Promise<ListedVersion[]> {
  const state = await lookAtProduct(dataset, product);
  if (state === undefined) return [];
  const known = new Map(
    (await ledger.publications(dataset.name, product.name, MOST_PUBLICATIONS)).map((each) => [each.snapshot, each]),
  );
  const published = await state.store.versions(limit);
  const unseen = candidates ? await candidatesOf(state) : [];
  const stale = await StaleSources.of(ledger, dataset);
  const listed: ListedVersion[] = [];
  const versions = [...unseen, ...published].sort((a, b) => b.writtenMs - a.writtenMs);
  for (const [index, version] of versions.entries()) {
    const isCandidate = unseen.includes(version);
    const isLookedAt = !version.expired && (index < LOOKED_AT || isCandidate);
    const stored = isLookedAt ? await readIfOurs(state, version.id) : undefined;
    const rows = stored?.epochs.flatMap(({ layout }) => [...layout.rows()].map(([, row]) => row));
    const publication: Publication | undefined = known.get(version.id);
    const facts = factsOf(version.message);
    const marks: ListedVersion["marks"][number][] = [];
    if (version.id === state.head) marks.push("current");
    if (stored?.header.hold !== undefined && version.id === state.head) marks.push("held");
    if (version.expired) marks.push("expired");
    if (isCandidate) marks.push("candidate");
    listed.push({
      id: version.id,
      sequence: publication?.sequence ?? facts.sequence,
      kind: publication?.kind ?? facts.kind ?? "unknown",
      writtenMs: version.writtenMs,
      granules: publication?.granules ?? rows?.length,
      stale: rows && stale.count(rows),
      marks,
      what: whatOf(version.message),
    });
  }
  return listed;
}

type Version = Awaited<ReturnType<ProductState["store"]["versions"]>>[number];

/** Snapshots are listed by name: those that no branch leads to are found nowhere else. */
async function candidatesOf({ store }: ProductState): Promise<Version[]> {
  const seen = new Set((await store.versions(Number.MAX_SAFE_INTEGER)).map(({ id }) => id));
  const folder = join(store.folder, "snapshots");
  const others: { readonly id: string; readonly changedMs: number }[] = [];
  for (const id of await readdir(folder)) {
    if (seen.has(id)) continue;
    const facts = await stat(join(folder, id)).catch(() => undefined);
    if (facts !== undefined) others.push({ id, changedMs: facts.mtimeMs });
  }
  const found: Version[] = [];
  for (const { id } of others.sort((a, b) => b.changedMs - a.changedMs).slice(0, MOST_CANDIDATES)) {
    // What is no version, a part or the beginning, is passed over.
    const version = await store.version(id).catch(() => undefined);
    if (version?.message.startsWith(CANDIDATE) === true) found.push(version);
  }
  return found;
}

/** What a version holds; undefined for one that somebody else wrote, which a list must not fail for. */
async function readIfOurs({ store }: ProductState, id: string): ReturnType<typeof readState> {
  try {
    return await readState(store, id);
  } catch (error) {
    if (isFreshetError(error, "corrupt", "expired")) return undefined;
    throw error;
  }
}

/** The second line of our messages. */
function factsOf(message: string): { readonly sequence?: number; readonly kind?: string } {
  try {
    const facts = JSON.parse(message.split("\n")[1] ?? "{}") as { freshet?: number; sequence?: number; kind?: string };
    return facts.freshet === 1 ? facts : {};
  } catch {
    return {};
  }
}

/** The first line, without what other columns say. */
function whatOf(message: string): string {
  return (message.split("\n")[0] as string).replace(CANDIDATE, "").replace(/^\S+ #\d+: (\w+, (?=\d))?/, "");
}
