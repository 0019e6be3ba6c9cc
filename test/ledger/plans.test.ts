import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, test } from "node:test";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { type Ledger, openLedger } from "../../src/ledger/index.ts";
import { selectHistory } from "../../src/ledger/queries.ts";
import { selectByKey, selectChangedAfter, selectNewest } from "../../src/ledger/ranges.ts";
import { SqlLedger } from "../../src/ledger/sql-ledger.ts";
import { sqliteBackend } from "../../src/ledger/sqlite.ts";
import type { Tables } from "../../src/ledger/tables.ts";
import { missingPostgres, TestPostgres } from "../support/postgres.ts";
import { aPublication, aRevision } from "./ledger-bench.ts";

/** An SQLite database that remembers what it was asked. */
class Listening extends DatabaseSync {
  asked: string[] = [];
  override prepare(sql: string) {
    this.asked.push(sql);
    return super.prepare(sql);
  }
}

/** How SQLite reads the tables for whatever `ask` asks. */
async function sqlitePlan(database: Listening, ask: () => Promise<unknown>): Promise<string[]> {
  database.asked = [];
  await ask();
  const questions = database.asked.filter((sql) => sql.startsWith("select"));
  assert.ok(questions.length > 0);
  return questions.flatMap((sql) =>
    database
      .prepare(`explain query plan ${sql}`)
      .all()
      .map(({ detail }) => String(detail))
      .filter((detail) => /^(SEARCH|SCAN) (?!range)/.test(detail)),
  );
}

describe("SQLite answers from its indexes:", () => {
  const database = new Listening(":memory:");
  const id = aRevision();
  let ledger: Ledger;
  before(async () => {
    ledger = await SqlLedger.open(sqliteBackend(database, "sqlite::memory:", Date.now));
    await ledger.hear(id);
    await ledger.record({ ...id, state: "ready" });
  });
  after(() => ledger.close());
  const questions: Record<string, [ask: () => Promise<unknown>, index: RegExp]> = {
    changedAfter: [
      () => ledger.changedAfter("ostia", 5, ["ready", "withdrawn"], 10),
      /revisions_by_change \(dataset=\? AND state=\? AND changed_seq>\?\)/,
    ],
    newest: [() => ledger.newest("ostia", 10), /revisions_by_change \(dataset=\? AND state=\?\)/],
    standing: [
      () => ledger.standing("ostia", { limit: 10, afterKey: "a" }),
      /revisions_by_state \(dataset=\? AND state=\? AND key>\?/,
    ],
    granules: [() => ledger.granules("ostia", { limit: 10, afterKey: "a" }), /autoindex_revisions_1 \(dataset=\? AND key>\?/],
    history: [() => ledger.history("ostia", "a"), /events_of_granule \(dataset=\? AND key=\?\)/],
    revisionsOf: [() => ledger.revisionsOf("ostia", "a"), /autoindex_revisions_1 \(dataset=\? AND key=\?\)/],
    counts: [() => ledger.counts("ostia"), /state_counts/],
    publications: [() => ledger.publications("ostia", undefined, 10), /publications_by_sequence \(dataset=\?\)/],
    membersOf: [() => ledger.membersOf("ostia", "p", 1), /members_by_publication \(dataset=\? AND product=\? AND sequence=\?\)/],
    missingSources: [() => ledger.missingSources("ostia"), /sources_not_in_place \(dataset=\?\)/],
    recordPublication: [
      () => ledger.recordPublication(aPublication(), [id]),
      /(autoindex_publications_1 \(dataset=\? AND product=\?|autoindex_publication_members_1 \(dataset=\? AND product=\? AND key=\?\)|autoindex_revisions_1 \(dataset=\? AND key=\?|events_of_granule \(dataset=\? AND key=\?\))/,
    ],
  };
  for (const [name, [ask, index]] of Object.entries(questions)) {
    test(name, async () => {
      const steps = await sqlitePlan(database, ask);
      assert.ok(steps.length > 0);
      for (const step of steps) assert.match(step, index);
    });
  }
});

describe("PostgreSQL answers from its indexes", { skip: missingPostgres() }, () => {
  let postgres: TestPostgres;
  before(async () => {
    postgres = await TestPostgres.start();
  });
  after(() => postgres.stop());

  test("pages of changes and keys, and a granule's history, among 20 000 revisions", async () => {
    const url = await postgres.createDatabase();
    await (await openLedger(url)).close();
    const name = new URL(url).pathname.slice(1);
    await postgres.query(
      `insert into revisions (dataset, key, identity, state, reason, heard_ms, heard_seq, changed_ms, changed_seq)
       select 'ostia', 'k' || i, 'etag:1', case when i % 50 = 0 then 'ready' else 'published' end, '', 1, i, 1, i
       from generate_series(1, 20000) i`,
      name,
    );
    await postgres.query(
      `insert into events (dataset, seq, key, identity, state, reason, at_ms, facts, detail, digest)
       select 'ostia', i, 'k' || i, 'etag:1', 'heard', '', 1, '{}', '{}', '' from generate_series(1, 20000) i`,
      name,
    );
    await postgres.query("analyze", name);
    const asked: { readonly sql: string; readonly parameters: readonly unknown[] }[] = [];
    const pool = new pg.Pool({ connectionString: url });
    // The server may end before it has taken note that the pool has.
    pool.on("error", () => undefined);
    pool.on("connect", (client) => client.on("error", () => undefined));
    const db = new Kysely<Tables>({
      dialect: new PostgresDialect({ pool }),
      log: ({ query: { sql, parameters } }) => {
        asked.push({ sql, parameters });
      },
    });
    await selectChangedAfter(db, "ostia", 19_000, ["ready", "withdrawn", "published"], 100);
    await selectNewest(db, "ostia", 20);
    await selectByKey(db, "ostia", ["ready", "published"], { afterKey: "k19", limit: 100 });
    await selectHistory(db, "ostia", "k77");
    assert.equal(asked.length, 5);
    for (const { sql, parameters } of asked) {
      const { rows } = await pool.query(`explain ${sql}`, [...parameters]);
      const plan = rows.map((row) => Object.values(row).join()).join("\n");
      assert.match(plan, /Index/, plan);
      assert.doesNotMatch(plan, /Seq Scan/, plan);
    }
    await db.destroy();
  });
});
