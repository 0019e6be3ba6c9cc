import { isFreshetError } from "../errors/index.ts";
import type { Ledger, Member, RevisionEvent } from "../ledger/index.ts";
import type { PublicationKind } from "../products/index.ts";
import { reached } from "../steps/index.ts";
import type { Turn } from "./turn.ts";

/** The publication as it stands in the store. */
export interface Published {
  readonly version: string;
  readonly kind: PublicationKind;
  readonly parent: string | undefined;
  readonly atMs: number;
  readonly granules: number;
  readonly message: string;
}

/**
 * Writes into the ledger what became of every revision of a turn. May run twice. The publication comes last: while it is not on
 * record, the next turn does all of this again.
 */
export async function tellLedger(ledger: Ledger, dataset: string, turn: Turn, published: Published): Promise<void> {
  const stands = ({ key, identity }: Member): boolean =>
    turn.wanted.epochs.some(({ layout }) => layout.standing(key)?.identity === identity);
  const members: Member[] = turn.arrivals
    .filter((revision) => revision.state !== "withdrawn" && stands(revision))
    .map(({ key, identity }) => ({ key, identity }));
  const stateOf = async ({ key, identity }: Member) => (await ledger.revision({ dataset, key, identity }))?.state;
  const gone: Gone[] = [];
  for (const row of turn.wanted.displaced) {
    // One that has been announced again meanwhile is on its way.
    if (["published", "ready"].includes((await stateOf(row)) ?? ""))
      gone.push({
        row,
        reason: row.reason ?? "another granule of the same time took its place",
        isSure: row.reason !== undefined,
      });
  }
  for (const row of turn.wanted.left) {
    if ((await stateOf(row)) === "published") gone.push({ row, reason: "it stands in the product no more", isSure: false });
  }
  for (const event of eventsOf(dataset, turn, stands, gone)) {
    // What the ledger knows better by now stays as it is.
    await ledger.record(event).catch((error: unknown) => {
      if (!isFreshetError(error, "conflict")) throw error;
    });
  }
  if (turn.plan.unchanged && turn.isOnRecord) return;
  reached("publish: ledger half told");
  const { product, sequence, layoutHash } = turn.plan;
  const { version: snapshot, kind, parent, atMs, granules, message } = published;
  await ledger.recordPublication(
    { dataset, product, sequence, snapshot, kind, parent, layoutHash, atMs, granules, message },
    members,
  );
}

/** A revision that has lost its place, or got none. */
interface Gone {
  readonly row: Member;
  readonly reason: string;
  /** The reason says more than any other could. */
  readonly isSure: boolean;
}

/** One for each revision that has no place, or has lost it. */
function eventsOf(dataset: string, turn: Turn, stands: (member: Member) => boolean, gone: readonly Gone[]): RevisionEvent[] {
  const events = new Map<string, RevisionEvent>();
  const add = ({ key, identity }: Member, verdict: Pick<RevisionEvent, "state" | "reason">): void => {
    if (!stands({ key, identity })) events.set(`${key}\n${identity}`, { dataset, key, identity, ...verdict });
  };
  for (const revision of turn.arrivals) {
    if (revision.state === "ready")
      add(revision, { state: "superseded", reason: "a newer one took its place before it was published" });
  }
  for (const { arrival, reason } of turn.wanted.rejected) add(arrival, { state: "quarantined", reason });
  for (const { arrival, reason } of turn.wanted.refused) add(arrival, { state: "skipped", reason });
  for (const { row, reason, isSure } of gone)
    if (isSure || !events.has(`${row.key}\n${row.identity}`)) add(row, { state: "superseded", reason });
  return [...events.values()];
}
