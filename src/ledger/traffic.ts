import type { Kysely, Transaction } from "kysely";
import type { Traffic, UnmatchedName } from "./ledger.ts";
import type { Tables } from "./tables.ts";

/** Names of a source that are kept: the last ones, and none that nobody has sent for so long. */
const KEPT_NAMES = 100;
const KEPT_MS = 14 * 86_400_000;

/** Adds to what is counted; see `Ledger.noteTraffic`. */
export async function noteTraffic(
  trx: Transaction<Tables>,
  traffic: readonly Traffic[],
  names: readonly UnmatchedName[],
  nowMs: number,
): Promise<void> {
  for (const { source, via, matched, unmatched, passedOver, malformed, matchedMs, unmatchedMs } of traffic) {
    await trx
      .insertInto("traffic")
      .values({
        ...{ source, via, matched, unmatched, malformed, passed_over: passedOver },
        ...{ matched_ms: matchedMs ?? 0, unmatched_ms: unmatchedMs ?? 0 },
      })
      .onConflict((conflict) =>
        conflict.columns(["source", "via"]).doUpdateSet((eb) => ({
          matched: eb("traffic.matched", "+", matched),
          unmatched: eb("traffic.unmatched", "+", unmatched),
          passed_over: eb("traffic.passed_over", "+", passedOver),
          malformed: eb("traffic.malformed", "+", malformed),
          matched_ms: matchedMs ?? eb.ref("traffic.matched_ms"),
          unmatched_ms: unmatchedMs ?? eb.ref("traffic.unmatched_ms"),
        })),
      )
      .execute();
  }
  for (const { source, name, via, reason, count, firstMs, lastMs } of names) {
    await trx
      .insertInto("unmatched_names")
      .values({ source, name, via, reason, count, first_ms: firstMs, last_ms: lastMs })
      .onConflict((conflict) =>
        conflict
          .columns(["source", "name"])
          .doUpdateSet((eb) => ({ via, reason, last_ms: lastMs, count: eb("unmatched_names.count", "+", count) })),
      )
      .execute();
  }
  for (const source of new Set(names.map((name) => name.source))) await forget(trx, source, nowMs);
}

async function forget(trx: Transaction<Tables>, source: string, nowMs: number): Promise<void> {
  const oldest = await trx
    .selectFrom("unmatched_names")
    .select(["last_ms", "name"])
    .where("source", "=", source)
    .orderBy("last_ms", "desc")
    .orderBy("name")
    .offset(KEPT_NAMES)
    .limit(10_000)
    .execute();
  if (oldest.length > 0)
    for (let at = 0; at < oldest.length; at += KEPT_NAMES)
      await trx
        .deleteFrom("unmatched_names")
        .where("source", "=", source)
        .where(
          "name",
          "in",
          oldest.slice(at, at + KEPT_NAMES).map(({ name }) => name),
        )
        .execute();
  await trx
    .deleteFrom("unmatched_names")
    .where("source", "=", source)
    .where("last_ms", "<", nowMs - KEPT_MS)
    .execute();
}

/** By source and way. */
export async function selectTraffic(db: Kysely<Tables>): Promise<Traffic[]> {
  const rows = await db.selectFrom("traffic").selectAll().orderBy("source").orderBy("via").execute();
  return rows.map(({ passed_over: passedOver, matched_ms: matchedMs, unmatched_ms: unmatchedMs, ...row }) => ({
    ...row,
    passedOver,
    matchedMs: matchedMs === 0 ? undefined : matchedMs,
    unmatchedMs: unmatchedMs === 0 ? undefined : unmatchedMs,
  }));
}

/** The newest first. */
export async function selectUnmatchedNames(db: Kysely<Tables>, source: string | undefined): Promise<UnmatchedName[]> {
  let query = db.selectFrom("unmatched_names").selectAll();
  if (source !== undefined) query = query.where("source", "=", source);
  const rows = await query.orderBy("last_ms", "desc").orderBy("source").orderBy("name").execute();
  return rows.map(({ first_ms: firstMs, last_ms: lastMs, ...row }) => ({ ...row, firstMs, lastMs }));
}
