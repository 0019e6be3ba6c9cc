import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ErrorKind, isFreshetError } from "../../src/errors/index.ts";
import { describeLedger, migrateLedger, openLedger } from "../../src/ledger/index.ts";
import { LEDGER_VERSION, migrate } from "../../src/ledger/migrations.ts";
import { closeBackend, openBackend } from "../../src/ledger/open-ledger.ts";
import { missingPostgres, TestPostgres } from "../support/postgres.ts";
import { ledgerContract } from "./contract.ts";
import { aRevision } from "./ledger-bench.ts";
import { ledgerFollowsModel } from "./model-check.ts";

describe("PostgreSQL", { skip: missingPostgres() }, () => {
  let postgres: TestPostgres;
  before(async () => {
    postgres = await TestPostgres.start();
  });
  after(() => postgres.stop());

  const openNew = async (now: () => number) => openLedger(await postgres.createDatabase(), { now });
  ledgerContract("PostgreSQL", openNew);
  ledgerFollowsModel("PostgreSQL", openNew, 12);

  describe("a PostgreSQL ledger", () => {
    const failsWith = (kind: ErrorKind, text: RegExp) => (error: unknown) => {
      assert.ok(isFreshetError(error, kind), String(error));
      assert.match(error.message, text);
      assert.doesNotMatch(`${error.message} ${error.stack} ${String(error.cause)}`, /hush/);
      return true;
    };

    test("is made in an empty database and found again; its uri has no credentials", async () => {
      const url = (await postgres.createDatabase()).replace("postgres@", "postgres:hush@").replace("postgres:", "postgresql:");
      const ledger = await openLedger(url);
      assert.match(ledger.uri, /^postgres:\/\/127\.0\.0\.1:\d+\/ledger\d+$/);
      await ledger.hear(aRevision());
      await ledger.close();
      const again = await openLedger(url);
      assert.equal((await again.counts("ostia")).heard, 1);
      await again.close();
    });

    test("is made once by several processes that open it at the same moment", async () => {
      const url = await postgres.createDatabase();
      const ledgers = await Promise.all(Array.from({ length: 6 }, () => openLedger(url)));
      await Promise.all(ledgers.map((ledger, index) => ledger.hear(aRevision({ key: `k${index}` }))));
      assert.equal(await ledgers[0]?.lastSeq("ostia"), 6);
      assert.equal((await describeLedger(url)).version, LEDGER_VERSION);
      await Promise.all(ledgers.map((ledger) => ledger.close()));
    });

    test("of an older version is refused with the command that helps, and then brought up to date", async () => {
      const url = await postgres.createDatabase();
      const backend = await openBackend(url);
      await migrate(backend, 1);
      await closeBackend(backend);
      await assert.rejects(openLedger(url), failsWith("storage", /of an older version: found version 1.*freshet ledger migrate/));
      assert.deepEqual((await migrateLedger(url, { dryRun: true })).from, 1);
      assert.deepEqual((await migrateLedger(url)).from, 1);
      assert.deepEqual((await migrateLedger(url)).from, LEDGER_VERSION);
      await (await openLedger(url)).close();
    });

    test("of a newer Freshet is left alone", async () => {
      const url = await postgres.createDatabase();
      await (await openLedger(url)).close();
      await postgres.query(`insert into ledger_schema values (${LEDGER_VERSION + 1}, 'from the future', 0)`, nameIn(url));
      await assert.rejects(openLedger(url), failsWith("storage", /written by a newer Freshet/));
    });

    test("is not made among tables of the same names that are somebody else's", async () => {
      const url = await postgres.createDatabase();
      await postgres.query("create table events (title text)", nameIn(url));
      await assert.rejects(
        openLedger(url),
        failsWith("storage", /not a ledger: found table events, expected table ledger_schema/),
      );
      await postgres.query("create table songs (title text); drop table events", nameIn(url));
      await (await openLedger(url)).close();
    });

    test("lies in the first schema of the search path", async () => {
      const url = await postgres.createDatabase();
      await postgres.query("create table events (title text); create schema ours", nameIn(url));
      const inOurs = `${url}?options=-c%20search_path%3Dours`;
      const ledger = await openLedger(inOurs);
      await ledger.hear(aRevision());
      await ledger.close();
      const [row] = await postgres.query("select count(*) as n from ours.events", nameIn(url));
      assert.equal(row?.n, "1");
      await assert.rejects(openLedger(url), failsWith("storage", /not a ledger/));
      const nowhere = `${url}?options=-c%20search_path%3Dnowhere`;
      await assert.rejects(openLedger(nowhere), failsWith("storage", /no schema for the ledger.*search_path/));
    });

    test("says who is not let in, and never the password", async () => {
      await postgres.query("create user guarded password 'right'");
      const url = (await postgres.createDatabase()).replace("postgres@", "guarded:hush@");
      await assert.rejects(
        openLedger(url),
        failsWith("storage", /does not let this user in: found password authentication failed/),
      );
      const unread = `postgres://guarded:hush/with#@127.0.0.1/d`;
      await assert.rejects(openLedger(unread), failsWith("usage", /url cannot be read: found postgres:…/));
      await assert.rejects(openLedger("postgres://a:1/hush@host/d"), failsWith("usage", /url cannot be read/));
    });

    test("says that the database or the right to it is missing", async () => {
      await assert.rejects(openLedger(postgres.url("nowhere")), failsWith("storage", /database is not there.*createdb/));
      await postgres.query("create user stranger");
      const url = await postgres.createDatabase();
      await postgres.query("revoke create on schema public from public", nameIn(url));
      await assert.rejects(
        openLedger(postgres.url(nameIn(url), "stranger")),
        failsWith("storage", /no permission for the ledger/),
      );
    });

    test("that is read-only says so when it is written", async () => {
      const url = await postgres.createDatabase();
      await (await openLedger(url)).close();
      const ledger = await openLedger(`${url}?options=-c%20default_transaction_read_only%3Don`);
      assert.equal((await ledger.counts("ostia")).heard, 0);
      await assert.rejects(ledger.hear(aRevision()), failsWith("storage", /ledger is read-only/));
      await ledger.close();
    });

    test("that nobody serves is unreachable", async () => {
      await assert.rejects(
        openLedger("postgres://user:hush@127.0.0.1:1/d"),
        failsWith("unreachable", /does not answer.*ECONNREFUSED/),
      );
    });

    test("refuses a text that it cannot hold, for good", async () => {
      const ledger = await openNew(Date.now);
      await assert.rejects(ledger.hear(aRevision({ key: "a\u0000b" })), failsWith("malformed", /cannot hold this text/));
      let state = 1;
      const noise = Array.from({ length: 9000 }, () => {
        state = (state * 48_271) % 2_147_483_647;
        return String.fromCharCode(33 + (state % 90));
      });
      await assert.rejects(ledger.hear(aRevision({ key: noise.join("") })), failsWith("malformed", /too long for the ledger/));
      await ledger.close();
    });

    test("runs a transaction again that the server gave up for another", async () => {
      const url = `${await postgres.createDatabase()}?options=-c%20default_transaction_isolation%3Dserializable`;
      const ledger = await openLedger(url);
      await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          await ledger.hear(aRevision({ key: `k${index}` }));
          await ledger.establishTemplate("ostia", "p", { key: "a", identity: "1", scan: { uri: "file:///a", sha256: "a" } });
        }),
      );
      assert.equal(await ledger.lastSeq("ostia"), 20);
      await ledger.close();
    });

    test("whose connections the server ends goes on with new ones", async () => {
      const url = await postgres.createDatabase();
      const ledger = await openLedger(url);
      await ledger.hear(aRevision());
      await postgres.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'freshet'`);
      // The pool may or may not have noticed by now: one operation may fail, and says that it may be asked again.
      await ledger.hear(aRevision({ key: "b" })).catch((error) => assert.ok(isFreshetError(error, "unreachable"), String(error)));
      assert.equal((await ledger.hear(aRevision({ key: "c" }))).isNew, true);
      await ledger.close();
    });

    test("that stops in the middle of an operation is unreachable, and works again when it is back", async () => {
      const url = await postgres.createDatabase();
      const ledger = await openLedger(url);
      await ledger.hear(aRevision());
      const blocker = await openBackend(url);
      let release = () => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      let taken = () => {};
      const locked = new Promise<void>((resolve) => {
        taken = resolve;
      });
      const blocking = blocker.db.transaction().execute(async (trx) => {
        await trx.updateTable("dataset_clocks").set({ last_ms: 1 }).execute();
        taken();
        await held;
      });
      await locked;
      const waiting = assert.rejects(ledger.record({ ...aRevision(), state: "ready" }), failsWith("unreachable", /./));
      await postgres.stopServer();
      await waiting;
      release();
      await blocking.catch(() => undefined);
      await closeBackend(blocker);
      await assert.rejects(ledger.counts("ostia"), failsWith("unreachable", /does not answer/));
      await postgres.startServer();
      assert.equal((await ledger.record({ ...aRevision(), state: "ready" })).appended, true);
      await ledger.close();
    });
  });

  function nameIn(url: string): string {
    return new URL(url).pathname.slice(1);
  }
});
