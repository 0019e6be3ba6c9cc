import type { Kysely, Selectable, SelectQueryBuilder } from "kysely";
import { REVISION_STATES, type Revision, type RevisionState } from "./revision.ts";
import { revisionOfRow } from "./rows.ts";
import type { RevisionTable, Tables } from "./tables.ts";

type Db = Kysely<Tables>;
type Revisions = SelectQueryBuilder<Tables, "revisions", unknown>;

// A question about several states is a merge of one range of the index for each: `state in (…)` would read and sort all of them.
// It is one statement, so that a revision that moves from one state to another meanwhile is in the answer once.

/** See `Ledger.changedAfter`. */
export async function selectChangedAfter(
  db: Db,
  dataset: string,
  afterSeq: number,
  states: readonly RevisionState[],
  limit: number,
): Promise<Revision[]> {
  const rows = await inStates(db, dataset, states, (range) =>
    range.selectAll().where("changed_seq", ">", afterSeq).orderBy("changed_seq").limit(limit),
  )
    ?.orderBy("changed_seq")
    .limit(limit)
    .execute();
  return (rows ?? []).map(revisionOfRow);
}

/** See `Ledger.newest`. */
export async function selectNewest(db: Db, dataset: string, limit: number): Promise<Revision[]> {
  const rows = await inStates(db, dataset, REVISION_STATES, (range) =>
    range.selectAll().orderBy("changed_seq", "desc").limit(limit),
  )
    ?.orderBy("changed_seq", "desc")
    .limit(limit)
    .execute();
  return (rows ?? []).map(revisionOfRow);
}

/** The revisions in these states of at most `limit` granules after `afterKey`, by key and then as heard. */
export async function selectByKey(
  db: Db,
  dataset: string,
  states: readonly RevisionState[],
  { afterKey, limit }: { readonly afterKey?: string | undefined; readonly limit: number },
): Promise<Revision[]> {
  const after = (range: Revisions): Revisions => (afterKey === undefined ? range : range.where("key", ">", afterKey));
  const keys = await inStates(db, dataset, states, (range) => after(range).select("key").distinct().orderBy("key").limit(limit))
    ?.orderBy("key")
    .execute();
  const last = [...new Set(keys?.map(({ key }) => key))].slice(0, limit).at(-1);
  if (last === undefined) return [];
  const rows = await inStates(db, dataset, states, (range) => after(range).selectAll().where("key", "<=", last))
    ?.orderBy("key")
    .orderBy("heard_seq")
    .execute();
  return (rows ?? []).map(revisionOfRow);
}

/** What `select` takes of each state's range, together; undefined without any state. */
function inStates<Row extends Partial<Selectable<RevisionTable>>>(
  db: Db,
  dataset: string,
  states: readonly RevisionState[],
  select: (range: Revisions) => SelectQueryBuilder<Tables, "revisions", Row>,
) {
  const ranges = [...new Set(states)].map((state) =>
    db
      .selectFrom(select(db.selectFrom("revisions").where("dataset", "=", dataset).where("state", "=", state)).as("range"))
      .selectAll(),
  );
  const [first, ...others] = ranges;
  return first && others.reduce((union, range) => union.unionAll(range), first);
}
