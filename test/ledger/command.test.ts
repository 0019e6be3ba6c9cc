import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { openLedger } from "../../src/ledger/index.ts";
import { LEDGER_VERSION, migrate } from "../../src/ledger/migrations.ts";
import { closeBackend, openBackend } from "../../src/ledger/open-ledger.ts";
import { freshet } from "../support/cli.ts";
import { missingPostgres, TestPostgres } from "../support/postgres.ts";
import { aRevision } from "./ledger-bench.ts";

const folder = mkdtempSync(join(tmpdir(), "freshet-ledger-command-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `freshet ledger …` on a ledger. */
const ledgerCommand = (url: string, ...words: string[]) => freshet(["ledger", ...words], { FRESHET_LEDGER: url });

describe("freshet ledger", () => {
  const url = join(folder, "ledger.db");
  const file = join(folder, "ledger.gz");

  test("says where there is none, and makes none", async () => {
    for (const command of [["info"], ["migrate"], ["backup", file]]) {
      const { code, stderr } = await ledgerCommand(url, ...command);
      assert.equal(code, 1);
      assert.match(stderr, /^freshet: there is no ledger \(sqlite:.*Name another one/);
    }
    assert.equal(existsSync(url), false);
  });

  test("migrate says from which version to which; --dry-run changes nothing", async () => {
    const backend = await openBackend(url);
    await migrate(backend, 1);
    await closeBackend(backend);
    const dry = await ledgerCommand(url, "migrate", "--dry-run");
    assert.match(dry.stdout, new RegExp(`would be brought from version 1 to version ${LEDGER_VERSION}`));
    assert.match((await ledgerCommand(url, "info")).stdout, /version {2}1, this Freshet writes \d+: freshet ledger migrate/);
    assert.match((await ledgerCommand(url, "migrate")).stdout, new RegExp(`brought from version 1 to version ${LEDGER_VERSION}`));
    const again = await ledgerCommand(url, "migrate", "--json");
    assert.deepEqual(JSON.parse(again.stdout), { uri: `sqlite:${url}`, from: LEDGER_VERSION, to: LEDGER_VERSION, dryRun: false });
  });

  test("info counts the revisions of each dataset", async () => {
    const ledger = await openLedger(url);
    await ledger.hear(aRevision());
    await ledger.record({ ...aRevision(), state: "ready" });
    await ledger.hear(aRevision({ key: "b" }));
    await ledger.close();
    const { code, stdout } = await ledgerCommand(url, "info");
    assert.equal(code, 0);
    assert.match(stdout, /kind {5}SQLite\n {2}version {2}\d+\n {2}size {5}[\d.]+ kB\n/);
    assert.match(stdout, /ostia +3 +2 {2}1 heard, 1 ready/);
    const { datasets } = JSON.parse((await ledgerCommand(url, "info", "--json")).stdout);
    assert.deepEqual([datasets[0].name, datasets[0].events, datasets[0].revisions.ready], ["ostia", 3, 1]);
  });

  test("backup and restore bring a ledger to another place", async () => {
    const copy = join(folder, "copy.db");
    const written = await ledgerCommand(url, "backup", file);
    assert.match(written.stdout, /ledger\.db is in .*ledger\.gz: \d+ rows of version \d+, [\d.]+ k?B/);
    const restored = await ledgerCommand(copy, "restore", file);
    assert.match(restored.stdout, /copy\.db has what was in the ledger at 20\d\d-.*Z: \d+ rows/);
    const ledger = await openLedger(copy);
    assert.equal((await ledger.counts("ostia")).ready, 1);
    await ledger.close();
    const overwriting = await ledgerCommand(url, "backup", file);
    assert.deepEqual([overwriting.code, /there already/.test(overwriting.stderr)], [2, true]);
    const full = await ledgerCommand(copy, "restore", file);
    assert.deepEqual([full.code, /not empty/.test(full.stderr)], [2, true]);
  });

  test("explains itself with examples", async () => {
    const { code, stdout } = await freshet(["ledger", "--help"]);
    assert.equal(code, 0);
    assert.match(stdout, /info.*\n.*migrate.*\n.*backup.*\n.*restore.*Examples:\n {2}freshet ledger info/s);
  });

  test("works on PostgreSQL, without showing the password", { skip: missingPostgres() }, async () => {
    const postgres = await TestPostgres.start();
    try {
      const server = (await postgres.createDatabase()).replace("postgres@", "postgres:hush@");
      const restored = await ledgerCommand(server, "restore", file);
      assert.equal(restored.code, 0, restored.stderr);
      const { stdout } = await ledgerCommand(server, "info");
      assert.match(stdout, /^postgres:\/\/127.*kind {5}PostgreSQL.*1 heard, 1 ready/s);
      assert.doesNotMatch(stdout + restored.stdout, /hush/);
      const away = await ledgerCommand("postgres://me:hush@127.0.0.1:1/d", "info");
      assert.match(away.stderr, /^freshet: the ledger's server does not answer/);
      assert.doesNotMatch(away.stderr, /hush/);
    } finally {
      await postgres.stop();
    }
  });
});
