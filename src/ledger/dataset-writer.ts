import type { Transaction } from "kysely";
import { addToCounts } from "./counts.ts";
import type { Member, Recorded } from "./ledger.ts";
import type { HistoryEntry, Revision, RevisionState } from "./revision.ts";
import { revisionOfRow, rowOfRevision } from "./rows.ts";
import { applyEntry, type EarlierStep, findRepeat, type Step } from "./step.ts";
import type { Tables } from "./tables.ts";

/** Rows of one insert: 19 columns of 1 000 rows stay below SQLite's 32 766 and PostgreSQL's 65 535 parameters. */
const ROWS_PER_INSERT = 1000;
/** Keys of one `in (…)`. */
const KEYS_PER_SELECT = 1000;

/** A revision with its events, oldest first. */
interface Life {
  revision: Revision | undefined;
  readonly earlier: EarlierStep[];
}

/**
 * The writer of one dataset inside one transaction. Beginning takes the dataset's clock, so that there is one at a time;
 * `write` puts everything that was appended into the tables.
 */
export class DatasetWriter {
  readonly #trx: Transaction<Tables>;
  readonly #dataset: string;
  /** Ledger time of this transaction. */
  readonly atMs: number;
  /** By key, then by identity. */
  readonly #granules = new Map<string, Map<string, Life>>();
  readonly #entries: { readonly entry: HistoryEntry; readonly step: Step }[] = [];
  readonly #touched = new Set<Life>();
  /** How many revisions each state has won or lost. */
  readonly #gained = new Map<RevisionState, number>();
  #seq: number;

  private constructor(trx: Transaction<Tables>, dataset: string, clock: { last_seq: number; last_ms: number }, nowMs: number) {
    this.#trx = trx;
    this.#dataset = dataset;
    this.#seq = clock.last_seq;
    // Ledger time never runs backwards, so that "as of" is always a beginning of the history, whoever's clock is wrong.
    this.atMs = Math.max(nowMs, clock.last_ms);
  }

  static async begin(trx: Transaction<Tables>, dataset: string, nowMs: number): Promise<DatasetWriter> {
    const clock = await trx
      .insertInto("dataset_clocks")
      .values({ dataset, last_seq: 0, last_ms: 0 })
      .onConflict((conflict) => conflict.column("dataset").doUpdateSet((eb) => ({ last_seq: eb.ref("dataset_clocks.last_seq") })))
      .returning(["last_seq", "last_ms"])
      .executeTakeFirstOrThrow();
    return new DatasetWriter(trx, dataset, clock, nowMs);
  }

  /** Reads what is known about these granules; needed before anything else is asked about them. */
  async load(keys: Iterable<string>): Promise<void> {
    const all = [...new Set(keys)];
    for (let start = 0; start < all.length; start += KEYS_PER_SELECT) {
      const some = all.slice(start, start + KEYS_PER_SELECT);
      const rows = await this.#trx
        .selectFrom("revisions")
        .selectAll()
        .where("dataset", "=", this.#dataset)
        .where("key", "in", some)
        .execute();
      for (const row of rows) this.#life(row).revision = revisionOfRow(row);
      const events = await this.#trx
        .selectFrom("events")
        .select(["key", "identity", "seq", "state", "digest", "once"])
        .where("dataset", "=", this.#dataset)
        .where("key", "in", some)
        .orderBy("seq")
        .execute();
      for (const event of events) this.#life(event).earlier.push({ ...event, state: event.state as RevisionState });
    }
  }

  revision(id: Member): Revision | undefined {
    return this.#granules.get(id.key)?.get(id.identity)?.revision;
  }

  /** Every revision of a granule. */
  revisionsOf(key: string): Revision[] {
    const lives = this.#granules.get(key)?.values() ?? [];
    return [...lives].flatMap((life) => (life.revision === undefined ? [] : [life.revision]));
  }

  /** Appends the step unless it is a repeat. @throws FreshetError `conflict` as `findRepeat` does. */
  record(id: Member, step: Step): Recorded {
    const { revision, earlier } = this.#life(id);
    const repeated = findRepeat(`${this.#dataset}/${id.key} (${id.identity})`, revision?.state, earlier, step);
    if (repeated !== undefined) return { seq: repeated, appended: false };
    return { seq: this.append(id, step), appended: true };
  }

  /** Appends the step as it is: the caller has checked it. Answers its number. */
  append(id: Member, step: Step): number {
    const seq = ++this.#seq;
    const entry: HistoryEntry = {
      dataset: this.#dataset,
      key: id.key,
      identity: id.identity,
      seq,
      atMs: this.atMs,
      state: step.state,
      reason: step.reason,
      facts: step.facts,
      detail: step.detail,
      ...(step.publication === undefined ? {} : { publication: step.publication }),
    };
    const life = this.#life(id);
    life.earlier.push({ seq, state: step.state, digest: step.digest, once: step.once ?? null });
    if (life.revision !== undefined) this.#gain(life.revision.state, -1);
    this.#gain(step.state, 1);
    life.revision = applyEntry(life.revision, entry);
    this.#entries.push({ entry, step });
    this.#touched.add(life);
    return seq;
  }

  async write(): Promise<void> {
    if (this.#entries.length === 0) return;
    for (let start = 0; start < this.#entries.length; start += ROWS_PER_INSERT) {
      const rows = this.#entries.slice(start, start + ROWS_PER_INSERT).map(({ entry, step }) => ({
        dataset: entry.dataset,
        seq: entry.seq,
        key: entry.key,
        identity: entry.identity,
        state: entry.state,
        reason: entry.reason,
        at_ms: entry.atMs,
        facts: JSON.stringify(entry.facts),
        detail: JSON.stringify(entry.detail),
        digest: step.digest,
        once: step.once ?? null,
        product: step.publication?.product ?? null,
        sequence: step.publication?.sequence ?? null,
      }));
      await this.#trx.insertInto("events").values(rows).execute();
    }
    const touched = [...this.#touched].flatMap((life) => (life.revision === undefined ? [] : [life.revision]));
    for (let start = 0; start < touched.length; start += ROWS_PER_INSERT) {
      await upsert(this.#trx, touched.slice(start, start + ROWS_PER_INSERT));
    }
    await addToCounts(this.#trx, this.#dataset, this.#gained);
    await this.#trx
      .updateTable("dataset_clocks")
      .set({ last_seq: this.#seq, last_ms: this.atMs })
      .where("dataset", "=", this.#dataset)
      .execute();
  }

  #gain(state: RevisionState, count: number): void {
    this.#gained.set(state, (this.#gained.get(state) ?? 0) + count);
  }

  #life(id: Member): Life {
    const granule = this.#granules.get(id.key) ?? new Map<string, Life>();
    const life = granule.get(id.identity) ?? { revision: undefined, earlier: [] };
    this.#granules.set(id.key, granule.set(id.identity, life));
    return life;
  }
}

async function upsert(trx: Transaction<Tables>, revisions: readonly Revision[]): Promise<void> {
  await trx
    .insertInto("revisions")
    .values(revisions.map(rowOfRevision))
    .onConflict((conflict) =>
      conflict.columns(["dataset", "key", "identity"]).doUpdateSet((eb) => ({
        state: eb.ref("excluded.state"),
        reason: eb.ref("excluded.reason"),
        uri: eb.ref("excluded.uri"),
        size: eb.ref("excluded.size"),
        etag: eb.ref("excluded.etag"),
        last_modified_ms: eb.ref("excluded.last_modified_ms"),
        fields: eb.ref("excluded.fields"),
        scan_uri: eb.ref("excluded.scan_uri"),
        scan_sha256: eb.ref("excluded.scan_sha256"),
        changed_ms: eb.ref("excluded.changed_ms"),
        changed_seq: eb.ref("excluded.changed_seq"),
        published_product: eb.ref("excluded.published_product"),
        published_sequence: eb.ref("excluded.published_sequence"),
        epoch: eb.ref("excluded.epoch"),
      })),
    )
    .execute();
}
