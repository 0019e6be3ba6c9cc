import type { Kysely } from "kysely";
import type { GranuleQuery } from "./ledger.ts";
import { selectByKey } from "./ranges.ts";
import type { HistoryEntry, Revision, RevisionId } from "./revision.ts";
import { entryOfRow, revisionOfRow } from "./rows.ts";
import { foldEntries } from "./step.ts";
import type { Tables } from "./tables.ts";

type Db = Kysely<Tables>;

/** Granules whose events are folded in one go, between which other work of the process goes on. */
const FOLDED_AT_ONCE = 200;

export async function selectRevision(db: Db, id: RevisionId): Promise<Revision | undefined> {
  const row = await db
    .selectFrom("revisions")
    .selectAll()
    .where("dataset", "=", id.dataset)
    .where("key", "=", id.key)
    .where("identity", "=", id.identity)
    .executeTakeFirst();
  return row === undefined ? undefined : revisionOfRow(row);
}

export async function selectRevisionsOf(db: Db, dataset: string, key: string): Promise<Revision[]> {
  const rows = await db
    .selectFrom("revisions")
    .selectAll()
    .where("dataset", "=", dataset)
    .where("key", "=", key)
    .orderBy("heard_seq")
    .execute();
  return rows.map(revisionOfRow);
}

/** Every event of a granule up to a moment (inclusive), oldest first. */
export async function selectHistory(db: Db, dataset: string, key: string, atMs?: number): Promise<HistoryEntry[]> {
  let query = db.selectFrom("events").selectAll().where("dataset", "=", dataset).where("key", "=", key);
  if (atMs !== undefined) query = query.where("at_ms", "<=", atMs);
  return (await query.orderBy("seq").execute()).map(entryOfRow);
}

export async function selectUnpublished(
  db: Db,
  dataset: string,
  product: string | undefined,
  limit: number | undefined,
): Promise<Revision[]> {
  // Looking through everything that is published is only worth while where another product could have been first.
  const others = product === undefined ? undefined : await selectOtherProduct(db, dataset, product);
  const query = db
    .selectFrom("revisions")
    .selectAll()
    .where("dataset", "=", dataset)
    .where((eb) => {
      const isReady = eb("state", "=", "ready");
      if (product === undefined || others === undefined) return isReady;
      const isMember = eb.exists(
        eb
          .selectFrom("publication_members as member")
          .select("member.key")
          .whereRef("member.dataset", "=", "revisions.dataset")
          .where("member.product", "=", product)
          .whereRef("member.key", "=", "revisions.key")
          .whereRef("member.identity", "=", "revisions.identity"),
      );
      return eb.or([isReady, eb.and([eb("state", "=", "published"), eb.not(isMember)])]);
    })
    .orderBy("changed_seq");
  const rows = await (limit === undefined ? query : query.limit(limit)).execute();
  return rows.map(revisionOfRow);
}

/** Another product of the dataset that has been published: the first or the last by name, which the index gives at once. */
async function selectOtherProduct(db: Db, dataset: string, product: string): Promise<string | undefined> {
  for (const direction of ["asc", "desc"] as const) {
    const row = await db
      .selectFrom("publications")
      .select("product")
      .where("dataset", "=", dataset)
      .orderBy("product", direction)
      .limit(1)
      .executeTakeFirst();
    if (row !== undefined && row.product !== product) return row.product;
  }
  return undefined;
}

export async function selectGranules(db: Db, dataset: string, query: GranuleQuery): Promise<Revision[]> {
  return query.asOfMs === undefined
    ? granulesNow(db, dataset, query)
    : granulesAsOf(db, dataset, { ...query, asOfMs: query.asOfMs });
}

async function granulesNow(db: Db, dataset: string, query: GranuleQuery): Promise<Revision[]> {
  if (query.state !== undefined) return selectByKey(db, dataset, [query.state], query);
  let revisions = db.selectFrom("revisions").where("dataset", "=", dataset);
  if (query.afterKey !== undefined) revisions = revisions.where("key", ">", query.afterKey);
  const keys = await revisions.select("key").distinct().orderBy("key").limit(query.limit).execute();
  const last = keys.at(-1);
  if (last === undefined) return [];
  const rows = await revisions.selectAll().where("key", "<=", last.key).orderBy("key").orderBy("heard_seq").execute();
  return rows.map(revisionOfRow);
}

async function granulesAsOf(db: Db, dataset: string, query: GranuleQuery & { readonly asOfMs: number }): Promise<Revision[]> {
  const found: Revision[] = [];
  let granules = 0;
  let afterKey = query.afterKey;
  while (granules < query.limit) {
    let events = db.selectFrom("events").where("dataset", "=", dataset).where("at_ms", "<=", query.asOfMs);
    if (afterKey !== undefined) events = events.where("key", ">", afterKey);
    const keys = await events
      .select("key")
      .distinct()
      .orderBy("key")
      .limit(Math.min(query.limit - granules, FOLDED_AT_ONCE))
      .execute();
    const last = keys.at(-1);
    if (last === undefined) break;
    const rows = await events.selectAll().where("key", "<=", last.key).orderBy("key").orderBy("seq").execute();
    const page = foldEntries(rows.map(entryOfRow)).filter(({ state }) => query.state === undefined || state === query.state);
    found.push(...page);
    granules += new Set(page.map((revision) => revision.key)).size;
    afterKey = last.key;
  }
  return found;
}
