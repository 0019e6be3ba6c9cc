import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, describe, test } from "node:test";
import { isFreshetError } from "../../src/errors/index.ts";
import { openLedger } from "../../src/ledger/index.ts";
import { LEDGER_VERSION } from "../../src/ledger/migrations.ts";
import { SqlLedger } from "../../src/ledger/sql-ledger.ts";
import { sqliteBackend } from "../../src/ledger/sqlite.ts";
import { ledgerContract } from "./contract.ts";
import { aRevision } from "./ledger-bench.ts";
import { ledgerFollowsModel } from "./model-check.ts";

const folder = mkdtempSync(join(tmpdir(), "freshet-ledger-"));
after(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
const newPath = () => join(folder, `ledger-${++files}.db`);

ledgerContract("SQLite", (now) => openLedger(newPath(), { now }));
ledgerFollowsModel("SQLite", (now) => SqlLedger.open(sqliteBackend(new DatabaseSync(":memory:"), "sqlite::memory:", now)));

describe("an SQLite ledger", () => {
  const failsWith = (kind: "storage" | "usage", text: RegExp) => (error: unknown) => {
    assert.ok(isFreshetError(error, kind), String(error));
    assert.match(error.message, text);
    return true;
  };

  test("is made with its folder, and found again", async () => {
    const path = join(folder, "new", "deep", "ledger.db");
    const ledger = await openLedger(`sqlite:${path}`);
    assert.equal(ledger.uri, `sqlite:${path}`);
    await ledger.hear(aRevision());
    await ledger.close();
    const again = await openLedger(path);
    assert.equal((await again.counts("ostia")).heard, 1);
    await again.close();
  });

  test("survives power cuts and lets readers read: WAL and synchronous=FULL", async () => {
    const database = new DatabaseSync(newPath());
    const ledger = await SqlLedger.open(sqliteBackend(database, "sqlite:test", Date.now));
    const pragma = (name: string) => Object.values(database.prepare(`pragma ${name}`).get() ?? {})[0];
    assert.deepEqual([pragma("journal_mode"), pragma("synchronous"), pragma("busy_timeout")], ["wal", 2, 10_000]);
    await ledger.close();
  });

  test("of a newer Freshet is left alone", async () => {
    const path = newPath();
    await (await openLedger(path)).close();
    const database = new DatabaseSync(path);
    database.exec(`insert into ledger_schema values (${LEDGER_VERSION + 1}, 'from the future', 0)`);
    database.close();
    await assert.rejects(
      openLedger(path),
      failsWith(
        "storage",
        /written by a newer Freshet: found version \d+, expected version \d+ or older .*ledger-\d+\.db\)\. Use the Freshet/,
      ),
    );
  });

  test("is not made of a file that is no database", async () => {
    const path = newPath();
    writeFileSync(path, "this is a text file, long enough to be taken for a header by nobody\n".repeat(20));
    await assert.rejects(openLedger(path), failsWith("storage", /not an SQLite database.*Name another file/));
  });

  test("is not made in somebody else's database", async () => {
    const path = newPath();
    const database = new DatabaseSync(path);
    database.exec("create table songs (title text)");
    database.close();
    await assert.rejects(openLedger(path), failsWith("storage", /not a ledger: found table songs/));
  });

  test("cannot be in a folder that cannot be made or written", async () => {
    const file = join(folder, "a-file");
    writeFileSync(file, "");
    await assert.rejects(openLedger(join(file, "ledger.db")), failsWith("storage", /folder cannot be made.*Name a folder/));
    await assert.rejects(openLedger("/proc/ledger.db"), failsWith("storage", /cannot be opened.*may write there/));
    await assert.rejects(openLedger(folder), failsWith("storage", /cannot be opened/));
  });

  test("that is read-only says so when it is written", async () => {
    const path = newPath();
    await (await openLedger(path)).close();
    const backend = () => sqliteBackend(new DatabaseSync(path, { readOnly: true }), `sqlite:${path}`, Date.now);
    const ledger = await SqlLedger.open(backend());
    assert.equal((await ledger.counts("ostia")).heard, 0);
    await assert.rejects(ledger.hear(aRevision()), failsWith("storage", /read-only.*the right to write/));
    await ledger.close();
  });

  test("on a full disk says so, loses nothing, and goes on when there is space again", async () => {
    const path = newPath();
    const database = new DatabaseSync(path);
    const ledger = await SqlLedger.open(sqliteBackend(database, `sqlite:${path}`, Date.now));
    await ledger.hear(aRevision({ key: "before" }));
    const { page_count: pages } = database.prepare("pragma page_count").get() as { page_count: number };
    database.exec(`pragma max_page_count = ${pages + 2}`);
    const batch = Array.from({ length: 500 }, (_, index) => aRevision({ key: `k${index}` }));
    await assert.rejects(ledger.hearAll(batch), failsWith("storage", /no space for the ledger.*Free some space/));
    assert.equal((await ledger.counts("ostia")).heard, 1);
    database.exec("pragma max_page_count = 1000000");
    await ledger.hearAll(batch);
    assert.equal((await ledger.counts("ostia")).heard, 501);
    await ledger.close();
  });

  test("that another process holds too long says so", async () => {
    const path = newPath();
    await (await openLedger(path)).close();
    const database = new DatabaseSync(path);
    const ledger = await SqlLedger.open(sqliteBackend(database, `sqlite:${path}`, Date.now));
    database.exec("pragma busy_timeout = 50");
    const other = new DatabaseSync(path);
    other.exec("begin immediate");
    await assert.rejects(ledger.hear(aRevision()), failsWith("storage", /busy.*Another process has held it/));
    other.exec("rollback");
    assert.equal((await ledger.hear(aRevision())).isNew, true);
    other.close();
    await ledger.close();
  });

  test("has no third kind beside it and PostgreSQL; what a url holds is not shown", async () => {
    const url = "mysql://user:secret@host/db";
    await assert.rejects(openLedger(url), (error) => {
      assert.ok(isFreshetError(error, "usage"));
      assert.match(error.message, /found mysql:…, expected sqlite:PATH, PATH or postgres:/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
    await assert.rejects(openLedger("sqlite:"), failsWith("usage", /found no path/));
  });
});
