import type { Transaction } from "kysely";
import { FreshetError } from "../errors/index.ts";
import { DatasetWriter } from "./dataset-writer.ts";
import type { Member, Publication } from "./ledger.ts";
import type { RevisionState } from "./revision.ts";
import { completeStep, type Step } from "./step.ts";
import type { PublicationMemberTable, Tables } from "./tables.ts";
import { checkTransition } from "./transitions.ts";

/** Rows of one insert, keys of one select. */
const BATCH = 1000;

/** Notes one publication in the transaction; see `Ledger.recordPublication`. Answers false if it was on record already. */
export async function recordPublication(
  trx: Transaction<Tables>,
  publication: Publication,
  members: readonly Member[],
  nowMs: number,
): Promise<boolean> {
  const { dataset, product, sequence } = publication;
  const writer = await DatasetWriter.begin(trx, dataset, nowMs);
  if (await isOnRecord(trx, publication)) return false;
  const newest = await trx
    .selectFrom("publications")
    .select((eb) => eb.fn.max("sequence").as("sequence"))
    .where("dataset", "=", dataset)
    .where("product", "=", product)
    .executeTakeFirstOrThrow();
  const isLate = (newest.sequence ?? 0) > sequence;
  const identities = onePerGranule(members);
  await writer.load(identities.keys());
  const placed = await placementsOf(trx, publication, [...identities.keys()]);
  const published = completeStep({ ...PLAIN, state: "published", publication: { product, sequence } });
  for (const [key, identity] of identities) {
    const revision = writer.revision({ key, identity });
    if (revision === undefined) throw unknownMember(publication, { key, identity });
    const places = placed.get(key) ?? [];
    const successor = places.find((place) => place.sequence > sequence);
    if (isLate && successor !== undefined && successor.identity !== identity) {
      if (revision.state === "ready") writer.append({ key, identity }, outdatedBy(product, successor.sequence));
    } else if (!isLate || revision.state === "ready") {
      checkTransition(revision.state, "published", `${dataset}/${key} (${identity})`);
      writer.append({ key, identity }, published);
    }
    if (successor !== undefined) continue;
    for (const earlier of writer.revisionsOf(key)) {
      const wasHere = places.some((place) => place.identity === earlier.identity);
      if (earlier.identity === identity || earlier.state !== "published" || !wasHere) continue;
      writer.append(earlier, outdatedBy(product, sequence));
    }
  }
  await insertPublication(trx, publication, identities);
  await writer.write();
  return true;
}

const PLAIN = { reason: "", facts: {}, detail: {}, once: undefined } as const;

function outdatedBy(product: string, sequence: number): Step {
  const state: RevisionState = "superseded";
  return completeStep({ ...PLAIN, state, reason: `replaced in ${product} ${sequence}`, publication: undefined });
}

async function isOnRecord(trx: Transaction<Tables>, publication: Publication): Promise<boolean> {
  const row = await trx
    .selectFrom("publications")
    .select(["snapshot", "layout_hash"])
    .where("dataset", "=", publication.dataset)
    .where("product", "=", publication.product)
    .where("sequence", "=", publication.sequence)
    .executeTakeFirst();
  if (row === undefined) return false;
  if (row.snapshot === publication.snapshot && row.layout_hash === publication.layoutHash) return true;
  throw new FreshetError("conflict", "another publication has this sequence number already", {
    found: `snapshot ${row.snapshot}, layout ${row.layout_hash}`,
    expected: `snapshot ${publication.snapshot}, layout ${publication.layoutHash}`,
    path: `${publication.dataset}/${publication.product} ${publication.sequence}`,
    remedy: "Two writers, or a store and a ledger that do not belong together: compare them with freshet verify.",
  });
}

function onePerGranule(members: readonly Member[]): Map<string, string> {
  const identities = new Map<string, string>();
  for (const { key, identity } of members) {
    if ((identities.get(key) ?? identity) !== identity) throw new RangeError(`two revisions of ${key} in one publication`);
    identities.set(key, identity);
  }
  return identities;
}

type Placement = Pick<PublicationMemberTable, "sequence" | "identity">;

/** Where the granules are in the product's other publications, oldest first. */
async function placementsOf(
  trx: Transaction<Tables>,
  publication: Publication,
  keys: readonly string[],
): Promise<Map<string, Placement[]>> {
  const placements = new Map<string, Placement[]>();
  for (let start = 0; start < keys.length; start += BATCH) {
    const rows = await trx
      .selectFrom("publication_members")
      .select(["key", "sequence", "identity"])
      .where("dataset", "=", publication.dataset)
      .where("product", "=", publication.product)
      .where("key", "in", keys.slice(start, start + BATCH))
      .orderBy("sequence")
      .execute();
    for (const row of rows) {
      const places = placements.get(row.key);
      if (places === undefined) placements.set(row.key, [row]);
      else places.push(row);
    }
  }
  return placements;
}

async function insertPublication(
  trx: Transaction<Tables>,
  publication: Publication,
  identities: ReadonlyMap<string, string>,
): Promise<void> {
  const { dataset, product, sequence } = publication;
  await trx
    .insertInto("publications")
    .values({
      dataset,
      product,
      sequence,
      snapshot: publication.snapshot,
      parent: publication.parent ?? null,
      layout_hash: publication.layoutHash,
      at_ms: publication.atMs,
      granules: publication.granules,
      message: publication.message,
      kind: publication.kind ?? "publication",
    })
    .execute();
  const rows = [...identities].map(([key, identity]) => ({ dataset, product, sequence, key, identity }));
  for (let start = 0; start < rows.length; start += BATCH) {
    await trx
      .insertInto("publication_members")
      .values(rows.slice(start, start + BATCH))
      .execute();
  }
}

function unknownMember(publication: Publication, member: Member): FreshetError {
  return new FreshetError("corrupt", "a publication names a revision that the ledger has never heard of", {
    found: `${member.key} (${member.identity})`,
    path: `${publication.dataset}/${publication.product} ${publication.sequence}`,
    remedy: "Compare the store with the ledger: freshet verify.",
  });
}
