import type { Kysely, Transaction } from "kysely";
import type { FreshetError } from "../errors/index.ts";
import { putDatasetFile, selectCurrentDatasets, selectDatasetText } from "./dataset-files.ts";
import { DatasetWriter } from "./dataset-writer.ts";
import type { GranuleQuery, Heard, Ledger, Member, Publication, Recorded, StoredDataset, Template } from "./ledger.ts";
import { migrate } from "./migrations.ts";
import {
  selectCounts,
  selectGranules,
  selectHistory,
  selectReadyAfter,
  selectRevision,
  selectRevisionsOf,
  selectUnpublished,
} from "./queries.ts";
import { recordPublication } from "./record-publication.ts";
import type { HeardRevision, HistoryEntry, Revision, RevisionEvent, RevisionId, RevisionState } from "./revision.ts";
import { publicationOfRow } from "./rows.ts";
import { foldEntries, stepOf } from "./step.ts";
import type { Tables } from "./tables.ts";
import { establishTemplate } from "./templates.ts";

/** What a database brings for a ledger to be kept in it. */
export interface LedgerBackend {
  readonly db: Kysely<Tables>;
  /** Without credentials. */
  readonly uri: string;
  /** The FreshetError for an error of the database's driver; undefined for anything else. */
  readonly translate: (error: unknown) => FreshetError | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The ledger over any SQL database that Kysely speaks to. The contract of each operation stands at `Ledger`. */
export class SqlLedger implements Ledger {
  readonly uri: string;
  readonly #db: Kysely<Tables>;
  readonly #translate: LedgerBackend["translate"];
  readonly #now: () => number;

  private constructor(backend: LedgerBackend) {
    this.uri = backend.uri;
    this.#db = backend.db;
    this.#translate = backend.translate;
    this.#now = backend.now;
  }

  /** Brings the tables up to date first. */
  static async open(backend: LedgerBackend): Promise<SqlLedger> {
    const ledger = new SqlLedger(backend);
    await ledger.#read((db) => migrate(db, backend.uri, backend.now()));
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

  readyAfter(dataset: string, afterSeq: number, limit: number): Promise<readonly Revision[]> {
    return this.#read((db) => selectReadyAfter(db, dataset, afterSeq, limit));
  }

  unpublished(dataset: string, product?: string, limit?: number): Promise<readonly Revision[]> {
    return this.#read((db) => selectUnpublished(db, dataset, product, limit));
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
    return this.#read((db) => selectGranules(db, dataset, query));
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
    const rows = await this.#read((db) =>
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

  async currentDataset(name: string): Promise<StoredDataset | undefined> {
    return (await this.#read((db) => selectCurrentDatasets(db, name)))[0];
  }

  datasetText(name: string, hash: string): Promise<string | undefined> {
    return this.#read((db) => selectDatasetText(db, name, hash));
  }

  datasets(): Promise<readonly StoredDataset[]> {
    return this.#read((db) => selectCurrentDatasets(db));
  }

  establishTemplate(dataset: string, product: string, candidate: Template): Promise<Template> {
    return this.#write((trx) => establishTemplate(trx, dataset, product, candidate, this.#now()));
  }

  async close(): Promise<void> {
    await this.#db.destroy();
  }

  async #read<Answer>(ask: (db: Kysely<Tables>) => Promise<Answer>): Promise<Answer> {
    try {
      return await ask(this.#db);
    } catch (error) {
      throw this.#translate(error) ?? error;
    }
  }

  #write<Answer>(change: (trx: Transaction<Tables>) => Promise<Answer>): Promise<Answer> {
    return this.#read((db) => db.transaction().execute(change));
  }
}

/** The one dataset that these are of; undefined when there are none. */
function datasetOf(ids: readonly RevisionId[]): string | undefined {
  const dataset = ids[0]?.dataset;
  if (ids.some((id) => id.dataset !== dataset)) throw new RangeError("one batch, two datasets");
  return dataset;
}
