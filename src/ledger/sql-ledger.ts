import type { Kysely, Transaction } from "kysely";
import { selectAlarms, settleAlarms } from "./alarms.ts";
import type { LedgerBackend } from "./backend.ts";
import { selectCounts } from "./counts.ts";
import { keepDatasetFile, putDatasetFile, selectCurrentDatasets, selectDatasetText } from "./dataset-files.ts";
import { DatasetWriter } from "./dataset-writer.ts";
import { giveUpRun, selectGivenUpRuns } from "./given-up-runs.ts";
import type {
  Alarm,
  GivenUpRun,
  GranuleQuery,
  Heard,
  Ledger,
  Member,
  MissingSource,
  Publication,
  RaisedAlarm,
  Recorded,
  SourceObservation,
  StoredDataset,
  Template,
  Traffic,
  UnmatchedName,
} from "./ledger.ts";
import { ensureTables } from "./migrations.ts";
import { selectGranules, selectHistory, selectRevision, selectRevisionsOf, selectUnpublished } from "./queries.ts";
import { selectByKey, selectChangedAfter, selectNewest } from "./ranges.ts";
import { recordPublication } from "./record-publication.ts";
import type {
  HeardRevision,
  HistoryEntry,
  Revision,
  RevisionEvent,
  RevisionId,
  RevisionState,
  ScanReference,
} from "./revision.ts";
import { publicationOfRow } from "./rows.ts";
import { noteSource, selectMissingSources } from "./sources.ts";
import { foldEntries, stepOf } from "./step.ts";
import type { Tables } from "./tables.ts";
import { establishTemplate, selectTemplates } from "./templates.ts";
import { noteTraffic, selectTraffic, selectUnmatchedNames } from "./traffic.ts";

/** How often a transaction is run that the database gave up in favour of another one. */
const TRIES = 5;
/** A page of this many rows takes SQLite a few milliseconds; longer ones leave the event loop. */
const SHORT_PAGE = 200;

/** The ledger over any SQL database that Kysely speaks to. The contract of each operation stands at `Ledger`. */
export class SqlLedger implements Ledger {
  readonly uri: string;
  readonly #backend: LedgerBackend;
  readonly #now: () => number;

  private constructor(backend: LedgerBackend) {
    this.uri = backend.uri;
    this.#backend = backend;
    this.#now = backend.now;
  }

  /** Makes the tables, or brings them up to date, where that is for an opening process to do: see `ensureTables`. */
  static async open(backend: LedgerBackend): Promise<SqlLedger> {
    const ledger = new SqlLedger(backend);
    try {
      await ledger.#read(() => ensureTables(backend));
    } catch (error) {
      await ledger.close();
      throw error;
    }
    return ledger;
  }

  async hear(revision: HeardRevision): Promise<Heard> {
    const known = await this.revision(revision);
    if (known !== undefined) return { isNew: false, revision: known };
    const [heard] = await this.hearAll([revision]);
    return heard as Heard;
  }

  async hearAll(revisions: readonly HeardRevision[]): Promise<readonly Heard[]> {
    const dataset = datasetOf(revisions);
    if (dataset === undefined) return [];
    return this.#write(async (trx) => {
      const writer = await DatasetWriter.begin(trx, dataset, this.#now());
      await writer.load(revisions.map(({ key }) => key));
      const isNew = revisions.map((revision) => {
        if (writer.revision(revision) !== undefined) return false;
        writer.append(revision, stepOf({ ...revision, state: "heard", once: undefined }));
        return true;
      });
      await writer.write();
      return revisions.map((id, index) => ({ isNew: isNew[index] as boolean, revision: writer.revision(id) as Revision }));
    });
  }

  async record(event: RevisionEvent): Promise<Recorded> {
    const [recorded] = await this.recordAll([event]);
    return recorded as Recorded;
  }

  async recordAll(events: readonly RevisionEvent[]): Promise<readonly Recorded[]> {
    const dataset = datasetOf(events);
    if (dataset === undefined) return [];
    return this.#write(async (trx) => {
      const writer = await DatasetWriter.begin(trx, dataset, this.#now());
      await writer.load(events.map(({ key }) => key));
      const recorded = events.map((event) => writer.record(event, stepOf(event)));
      await writer.write();
      return recorded;
    });
  }

  changedAfter(dataset: string, afterSeq: number, states: readonly RevisionState[], limit: number): Promise<readonly Revision[]> {
    return this.#page(limit, (db) => selectChangedAfter(db, dataset, afterSeq, states, limit));
  }

  readyAfter(dataset: string, afterSeq: number, limit: number): Promise<readonly Revision[]> {
    return this.changedAfter(dataset, afterSeq, ["ready", "withdrawn"], limit);
  }

  standing(
    dataset: string,
    page: { readonly afterKey?: string | undefined; readonly limit: number },
  ): Promise<readonly Revision[]> {
    return this.#page(page.limit, (db) => selectByKey(db, dataset, ["ready", "published"], page));
  }

  newest(dataset: string, limit: number): Promise<readonly Revision[]> {
    return this.#page(limit, (db) => selectNewest(db, dataset, limit));
  }

  unpublished(dataset: string, product?: string, limit?: number): Promise<readonly Revision[]> {
    return this.#readLong((db) => selectUnpublished(db, dataset, product, limit));
  }

  revision(id: RevisionId): Promise<Revision | undefined> {
    return this.#read((db) => selectRevision(db, id));
  }

  revisionsOf(dataset: string, key: string): Promise<readonly Revision[]> {
    return this.#read((db) => selectRevisionsOf(db, dataset, key));
  }

  async revisionsAsOf(dataset: string, key: string, atMs: number): Promise<readonly Revision[]> {
    return foldEntries(await this.#read((db) => selectHistory(db, dataset, key, atMs)));
  }

  granules(dataset: string, query: GranuleQuery): Promise<readonly Revision[]> {
    const isLong = query.asOfMs !== undefined;
    return this.#page(isLong ? Number.POSITIVE_INFINITY : query.limit, (db) => selectGranules(db, dataset, query));
  }

  history(dataset: string, key: string): Promise<readonly HistoryEntry[]> {
    return this.#read((db) => selectHistory(db, dataset, key));
  }

  counts(dataset: string): Promise<Readonly<Record<RevisionState, number>>> {
    return this.#read((db) => selectCounts(db, dataset));
  }

  async lastSeq(dataset: string): Promise<number> {
    const row = await this.#read((db) =>
      db.selectFrom("dataset_clocks").select("last_seq").where("dataset", "=", dataset).executeTakeFirst(),
    );
    return row?.last_seq ?? 0;
  }

  async recordPublication(publication: Publication, members: readonly Member[]): Promise<void> {
    await this.#write((trx) => recordPublication(trx, publication, members, this.#now()));
  }

  async publications(dataset: string, product: string | undefined, limit: number): Promise<readonly Publication[]> {
    const rows = await this.#read((db) => {
      let query = db.selectFrom("publications").selectAll().where("dataset", "=", dataset);
      if (product !== undefined) query = query.where("product", "=", product);
      return query.orderBy("sequence", "desc").orderBy("product").limit(limit).execute();
    });
    return rows.map(publicationOfRow);
  }

  async membersOf(dataset: string, product: string, sequence: number): Promise<readonly Member[]> {
    const rows = await this.#readLong((db) =>
      db
        .selectFrom("publication_members")
        .select(["key", "identity"])
        .where("dataset", "=", dataset)
        .where("product", "=", product)
        .where("sequence", "=", sequence)
        .orderBy("key")
        .execute(),
    );
    return rows.map(({ key, identity }) => ({ key, identity }));
  }

  putDataset(dataset: { readonly name: string; readonly hash: string; readonly text: string }): Promise<boolean> {
    return this.#write((trx) => putDatasetFile(trx, dataset, this.#now()));
  }

  keepDataset(dataset: { readonly name: string; readonly hash: string; readonly text: string }): Promise<void> {
    return this.#write((trx) => keepDatasetFile(trx, dataset));
  }

  async currentDataset(name: string): Promise<StoredDataset | undefined> {
    return (await this.#read((db) => selectCurrentDatasets(db, name)))[0];
  }

  datasetText(name: string, hash: string): Promise<string | undefined> {
    return this.#read((db) => selectDatasetText(db, name, hash));
  }

  datasets(): Promise<readonly StoredDataset[]> {
    return this.#read((db) => selectCurrentDatasets(db));
  }

  establishTemplate(
    dataset: string,
    product: string,
    candidate: Member & { readonly scan: ScanReference },
    epoch = 1,
  ): Promise<Template> {
    return this.#write((trx) => establishTemplate(trx, { dataset, product, epoch }, candidate, this.#now()));
  }

  templates(dataset: string): Promise<readonly Template[]> {
    return this.#read((db) => selectTemplates(db, dataset));
  }

  noteSource(id: RevisionId, observation: SourceObservation): Promise<void> {
    return this.#write((trx) => noteSource(trx, id, observation, this.#now()));
  }

  missingSources(dataset: string): Promise<readonly MissingSource[]> {
    return this.#readLong((db) => selectMissingSources(db, dataset));
  }

  noteTraffic(traffic: readonly Traffic[], names: readonly UnmatchedName[]): Promise<void> {
    return this.#write((trx) => noteTraffic(trx, traffic, names, this.#now()));
  }

  traffic(): Promise<readonly Traffic[]> {
    return this.#read((db) => selectTraffic(db));
  }

  unmatchedNames(source?: string): Promise<readonly UnmatchedName[]> {
    return this.#read((db) => selectUnmatchedNames(db, source));
  }

  settleAlarms(dataset: string, alarms: readonly Alarm[]): Promise<boolean> {
    return this.#write((trx) => settleAlarms(trx, dataset, alarms, this.#now()));
  }

  alarms(query: { readonly dataset?: string | undefined; readonly isOpen?: boolean | undefined; readonly limit: number }) {
    return this.#read((db): Promise<readonly RaisedAlarm[]> => selectAlarms(db, query));
  }

  giveUpRun(dataset: string, run: Omit<GivenUpRun, "atMs">): Promise<void> {
    return this.#write((trx) => giveUpRun(trx, dataset, run, this.#now()));
  }

  givenUpRuns(dataset: string): Promise<readonly GivenUpRun[]> {
    return this.#read((db) => selectGivenUpRuns(db, dataset));
  }

  async close(): Promise<void> {
    const { db, reader } = this.#backend;
    if (reader !== db) await reader.destroy();
    await db.destroy();
  }

  #read<Answer>(ask: (db: Kysely<Tables>) => Promise<Answer>): Promise<Answer> {
    return this.#ask(this.#backend.db, ask);
  }

  #readLong<Answer>(ask: (db: Kysely<Tables>) => Promise<Answer>): Promise<Answer> {
    return this.#ask(this.#backend.reader, ask);
  }

  #page<Answer>(limit: number, ask: (db: Kysely<Tables>) => Promise<Answer>): Promise<Answer> {
    return limit <= SHORT_PAGE ? this.#read(ask) : this.#readLong(ask);
  }

  async #ask<Answer>(db: Kysely<Tables>, ask: (db: Kysely<Tables>) => Promise<Answer>): Promise<Answer> {
    try {
      return await ask(db);
    } catch (error) {
      throw this.#backend.translate(error) ?? error;
    }
  }

  /**
   * One transaction. Each statement sees what was committed before it, whatever the server's default: after taking a
   * dataset's clock, a writer sees everything that the writer before it wrote.
   */
  async #write<Answer>(change: (trx: Transaction<Tables>) => Promise<Answer>): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#backend.db.transaction().setIsolationLevel("read committed").execute(change);
      } catch (error) {
        if (attempt < TRIES && this.#backend.isPassing(error)) continue;
        throw this.#backend.translate(error) ?? error;
      }
    }
  }
}

/** The one dataset that these are of; undefined when there are none. */
function datasetOf(ids: readonly RevisionId[]): string | undefined {
  const dataset = ids[0]?.dataset;
  if (ids.some((id) => id.dataset !== dataset)) throw new RangeError("one batch, two datasets");
  return dataset;
}
