import type { Kysely, Transaction } from "kysely";
import type { Alarm, RaisedAlarm } from "./ledger.ts";
import type { Tables } from "./tables.ts";

/** Raises what is new of these, ends what is open and not among them; see `Ledger.settleAlarms`. */
export async function settleAlarms(
  trx: Transaction<Tables>,
  dataset: string,
  alarms: readonly Alarm[],
  nowMs: number,
): Promise<boolean> {
  const idOf = ({ kind, subject }: Pick<Alarm, "kind" | "subject">): string => `${kind}\n${subject}`;
  const open = await trx
    .selectFrom("alarms")
    .select(["kind", "subject", "raised_ms"])
    .where("dataset", "=", dataset)
    .where("ended_ms", "is", null)
    .execute();
  const wanted = new Map(alarms.map((alarm) => [idOf(alarm), alarm]));
  const known = new Set(open.map(idOf));
  for (const { kind, subject, raised_ms } of open) {
    if (wanted.has(idOf({ kind, subject }))) continue;
    await trx
      .updateTable("alarms")
      .set({ ended_ms: nowMs })
      .where("dataset", "=", dataset)
      .where("kind", "=", kind)
      .where("subject", "=", subject)
      .where("raised_ms", "=", raised_ms)
      .execute();
  }
  const raised = [...wanted].filter(([id]) => !known.has(id));
  for (const [, { kind, subject, text, sinceMs }] of raised) {
    await trx
      .insertInto("alarms")
      .values({ dataset, kind, subject, text, since_ms: sinceMs, raised_ms: nowMs, ended_ms: null })
      .onConflict((conflict) => conflict.columns(["dataset", "kind", "subject", "raised_ms"]).doNothing())
      .execute();
  }
  return raised.length > 0 || open.some((alarm) => !wanted.has(idOf(alarm)));
}

/** Those that were raised last first. */
export async function selectAlarms(
  db: Kysely<Tables>,
  {
    dataset,
    isOpen,
    limit,
  }: { readonly dataset?: string | undefined; readonly isOpen?: boolean | undefined; readonly limit: number },
): Promise<RaisedAlarm[]> {
  let query = db.selectFrom("alarms").selectAll();
  if (dataset !== undefined) query = query.where("dataset", "=", dataset);
  if (isOpen === true) query = query.where("ended_ms", "is", null);
  const rows = await query
    .orderBy("raised_ms", "desc")
    .orderBy("dataset")
    .orderBy("kind")
    .orderBy("subject")
    .limit(limit)
    .execute();
  return rows.map(({ since_ms: sinceMs, raised_ms: raisedMs, ended_ms: endedMs, ...row }) => ({
    ...row,
    sinceMs,
    raisedMs,
    endedMs: endedMs ?? undefined,
  }));
}
