import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, test } from "node:test";
import { setImmediate as pause } from "node:timers/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { type ErrorKind, isFreshetError } from "../../src/errors/index.ts";
import { backUpLedger, type Ledger, openLedger, REVISION_STATES, restoreLedger } from "../../src/ledger/index.ts";
import { LEDGER_VERSION, migrate } from "../../src/ledger/migrations.ts";
import { closeBackend, openBackend } from "../../src/ledger/open-ledger.ts";
import { missingPostgres, TestPostgres } from "../support/postgres.ts";
import { aPublication, aRevision } from "./ledger-bench.ts";
import { writeRandomHistory } from "./model-check.ts";

const folder = mkdtempSync(join(tmpdir(), "freshet-backup-"));
after(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newPath = (end: string) => join(folder, `${++files}${end}`);

const failsWith = (kind: ErrorKind, text: RegExp) => (error: unknown) => {
  assert.ok(isFreshetError(error, kind), String(error));
  assert.match(error.message, text);
  return true;
};

/** A ledger with something in every table. */
async function fill(url: string): Promise<void> {
  const ledger = await openLedger(url, { now: () => 1_000_000 });
  await writeRandomHistory(ledger, 20_170_605);
  const ids = Array.from({ length: 1_200 }, (_, index) =>
    aRevision({ key: `k${index} ø'"\\ \u2028\n`, identity: `etag:"${index}"` }),
  );
  await ledger.hearAll(ids.map((id) => ({ ...id, uri: "https://agency/a", size: 2 ** 40, fields: { valid: 5, kind: "n" } })));
  await ledger.recordAll(
    ids.map((id) => ({ ...id, state: "ready" as const, epoch: 2, scan: { uri: "file:///s", sha256: "ab" } })),
  );
  await ledger.recordPublication(aPublication({ kind: "rebuild" }), ids.slice(0, 1_100));
  await ledger.putDataset({ name: "ostia", hash: "h1", text: '{"a":"ø"}' });
  await ledger.keepDataset({ name: "ostia", hash: "h2", text: "{}" });
  await ledger.establishTemplate("ostia", "timeseries", { key: "a", identity: "1", scan: { uri: "file:///a", sha256: "a" } }, 2);
  await ledger.noteSource(ids[0] as (typeof ids)[0], { state: "gone", found: "404", atMs: 7 });
  await ledger.close();
}

/** The answers to every question. */
async function answers(url: string): Promise<unknown> {
  const ledger = await openLedger(url);
  const all: unknown[] = [await ledger.datasets(), await ledger.datasetText("ostia", "h2")];
  for (const dataset of ["ostia", "d", "nobody"]) all.push(await answersOf(ledger, dataset));
  await ledger.close();
  return all;
}

async function answersOf(ledger: Ledger, dataset: string): Promise<unknown> {
  const granules = await ledger.granules(dataset, { limit: 10_000 });
  const keys = [...new Set(granules.map(({ key }) => key))];
  const publications = await ledger.publications(dataset, undefined, 1_000);
  return {
    granules,
    publications,
    histories: await Promise.all(keys.slice(0, 50).map((key) => ledger.history(dataset, key))),
    members: await Promise.all(publications.map(({ product, sequence }) => ledger.membersOf(dataset, product, sequence))),
    past: await ledger.granules(dataset, { limit: 10_000, asOfMs: 900_000 }),
    changed: await ledger.changedAfter(dataset, 0, REVISION_STATES, 10_000),
    standing: await ledger.standing(dataset, { limit: 10_000 }),
    newest: await ledger.newest(dataset, 50),
    unpublished: await Promise.all(["p", "q", "timeseries"].map((product) => ledger.unpublished(dataset, product))),
    counts: await ledger.counts(dataset),
    lastSeq: await ledger.lastSeq(dataset),
    templates: await ledger.templates(dataset),
    missing: await ledger.missingSources(dataset),
  };
}

describe("a backup", () => {
  const original = join(folder, "original.db");
  const backup = join(folder, "original.gz");
  before(async () => {
    await fill(original);
    await backUpLedger(original, backup);
  });

  test("restored gives the same answers to every question, and the ledger goes on from there", async () => {
    const copy = newPath(".db");
    const summary = await restoreLedger(copy, backup);
    assert.ok(summary.rows > 5_000 && summary.schema === LEDGER_VERSION);
    assert.deepEqual(await answers(copy), await answers(original));
    const ledger = await openLedger(copy);
    const last = await ledger.lastSeq("ostia");
    assert.equal((await ledger.hear(aRevision({ key: "next" }))).revision.heardSeq, last + 1);
    await ledger.close();
  });

  test("overwrites nothing, and leaves nothing behind where it cannot be written", async () => {
    const before = readFileSync(backup);
    await assert.rejects(backUpLedger(original, backup), failsWith("usage", /there already.*nothing is overwritten/));
    assert.deepEqual(readFileSync(backup), before);
    const there = readdirSync(folder).sort();
    await assert.rejects(backUpLedger(original, join(backup, "deep", "x.gz")), failsWith("storage", /cannot be written/));
    await assert.rejects(backUpLedger(join(folder, "nothing.db"), newPath(".gz")), failsWith("storage", /there is no ledger/));
    assert.deepEqual(readdirSync(folder).sort(), there);
  });

  test("holds one moment, and holds no writer up", async () => {
    const path = newPath(".db");
    await fill(path);
    const ledger = await openLedger(path);
    let running = true;
    const writing = (async () => {
      let count = 0;
      for (; running; count++) {
        await ledger.hear(aRevision({ dataset: "busy", key: `k${count}` }));
        // SQLite answers at once: without a pause nothing else would have its turn.
        await pause();
      }
      return count;
    })();
    const file = newPath(".gz");
    await backUpLedger(path, file);
    running = false;
    const written = await writing;
    await ledger.close();
    const copy = newPath(".db");
    await restoreLedger(copy, file);
    const restored = await openLedger(copy);
    const last = await restored.lastSeq("busy");
    assert.ok(last < written, `${last} of ${written}`);
    assert.equal((await restored.counts("busy")).heard, last);
    await restored.close();
  });

  test("is refused by a ledger that holds anything, which stays as it is", async () => {
    const path = newPath(".db");
    const ledger = await openLedger(path);
    await ledger.keepDataset({ name: "ostia", hash: "h", text: "{}" });
    await assert.rejects(restoreLedger(path, backup), failsWith("usage", /not empty: found rows in table dataset_files/));
    assert.equal(await ledger.datasetText("ostia", "h"), "{}");
    await ledger.close();
    const foreign = newPath(".db");
    const database = new DatabaseSync(foreign);
    database.exec("create table songs (title text)");
    database.close();
    await assert.rejects(restoreLedger(foreign, backup), failsWith("storage", /not a ledger/));
  });

  describe("that is damaged is refused, and the ledger stays empty:", () => {
    const text = () => gunzipSync(readFileSync(backup)).toString();
    const lines = () => text().trimEnd().split("\n");
    const cases: Record<string, [damage: () => Buffer, kind: ErrorKind, message: RegExp]> = {
      "the file ends too soon": [() => readFileSync(backup).subarray(0, -1_000), "truncated", /ends too soon/],
      "the file ends within its last bytes": [() => readFileSync(backup).subarray(0, -3), "truncated", /ends too soon/],
      "a byte is another": [
        () => {
          const bytes = readFileSync(backup);
          bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 64;
          return bytes;
        },
        "corrupt",
        /damaged/,
      ],
      "lines are missing at its end": [() => gzipSync(`${lines().slice(0, -5).join("\n")}\n`), "truncated", /no closing line/],
      "a row is missing": [() => gzipSync(`${lines().toSpliced(30, 1).join("\n")}\n`), "corrupt", /damaged: found \d+ rows/],
      "a value is another": [() => gzipSync(text().replace("https://agency/a", "https://agency/b")), "corrupt", /damaged/],
      "a row is too short": [() => gzipSync(`${lines().with(3, "[1]").join("\n")}\n`), "corrupt", /damaged/],
      "a line is no JSON": [() => gzipSync(`${lines().with(3, "{").join("\n")}\n`), "corrupt", /damaged/],
      "a table is not ours": [
        () => gzipSync(text().replace('{"table":"events"', '{"table":"sqlite_master"')),
        "corrupt",
        /a table that the ledger does not have: found sqlite_master/,
      ],
      "something follows": [() => gzipSync(`${text()}[1]\n`), "corrupt", /after the closing line/],
      "it is of a newer ledger": [
        () => gzipSync(text().replace(`"schema":${LEDGER_VERSION}`, `"schema":${LEDGER_VERSION + 1}`)),
        "unsupported",
        /newer Freshet: found version/,
      ],
      "it is of a newer format": [() => gzipSync(text().replace('"version":1', '"version":2')), "unsupported", /newer Freshet/],
      "it is empty": [() => Buffer.alloc(0), "truncated", /ends too soon/],
      "it is something else": [() => Buffer.from("a text file"), "usage", /no backup of a ledger: found not gzip/],
      "it is gzip of something else": [() => gzipSync('{"a":1}\n'), "usage", /no backup of a ledger/],
    };
    for (const [name, [damage, kind, message]] of Object.entries(cases)) {
      test(name, async () => {
        const [file, path] = [newPath(".gz"), newPath(".db")];
        writeFileSync(file, damage());
        await assert.rejects(restoreLedger(path, file), failsWith(kind, message));
        const ledger = await openLedger(path);
        assert.deepEqual([await ledger.lastSeq("ostia"), await ledger.datasets()], [0, []]);
        await ledger.close();
      });
    }
  });

  test("of an older ledger is brought up to date on the way", async () => {
    const [path, file, copy] = [newPath(".db"), newPath(".gz"), newPath(".db")];
    const backend = await openBackend(path);
    await migrate(backend, 1);
    await closeBackend(backend);
    const database = new DatabaseSync(path);
    database.exec(`
      insert into dataset_clocks values ('ostia', 1, 5);
      insert into events values ('ostia', 1, 'a', 'etag:1', 'heard', '', 5, '{}', '{}', 'x', null, null, null);
      insert into revisions (dataset, key, identity, state, reason, heard_ms, heard_seq, changed_ms, changed_seq)
        values ('ostia', 'a', 'etag:1', 'heard', '', 5, 1, 5, 1);
      insert into publications values ('ostia', 'p', 1, 'S', null, 'h', 5, 0, 'm');
      insert into templates values ('ostia', 'p', 'a', 'etag:1', 'file:///a', 'ab', 5)`);
    database.close();
    assert.equal((await backUpLedger(path, file)).schema, 1);
    await restoreLedger(copy, file);
    for (const url of [copy, path]) {
      const ledger = await openLedger(url);
      assert.equal((await ledger.counts("ostia")).heard, 1);
      assert.deepEqual(await ledger.templates("ostia"), [
        { product: "p", epoch: 1, key: "a", identity: "etag:1", scan: { uri: "file:///a", sha256: "ab" } },
      ]);
      assert.equal((await ledger.publications("ostia", "p", 1))[0]?.kind, "publication");
      await ledger.record({ ...aRevision({ key: "a" }), state: "ready" });
      assert.equal((await ledger.counts("ostia")).ready, 1);
      await ledger.close();
    }
  });
});

describe("a backup between SQLite and PostgreSQL", { skip: missingPostgres() }, () => {
  let postgres: TestPostgres;
  before(async () => {
    postgres = await TestPostgres.start();
  });
  after(() => postgres.stop());

  test("gives the same answers to every question, there and back again", async () => {
    const [path, file, fileBack, pathBack] = [newPath(".db"), newPath(".gz"), newPath(".gz"), newPath(".db")];
    await fill(path);
    const url = await postgres.createDatabase();
    await backUpLedger(path, file);
    await restoreLedger(url, file);
    const expected = await answers(path);
    assert.deepEqual(await answers(url), expected);
    await assert.rejects(restoreLedger(url, file), failsWith("usage", /not empty/));
    await backUpLedger(url, fileBack);
    await restoreLedger(pathBack, fileBack);
    assert.deepEqual(await answers(pathBack), expected);
  });

  test("that is damaged leaves an empty database", async () => {
    const [path, file] = [newPath(".db"), newPath(".gz")];
    await fill(path);
    await backUpLedger(path, file);
    writeFileSync(file, readFileSync(file).subarray(0, -2_000));
    const url = await postgres.createDatabase();
    await assert.rejects(restoreLedger(url, file), failsWith("truncated", /ends too soon/));
    const tables = await postgres.query(
      "select tablename from pg_tables where schemaname = 'public'",
      new URL(url).pathname.slice(1),
    );
    assert.deepEqual(tables, []);
  });
});
