import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isFreshetError } from "../../src/errors/index.ts";
import type { SourceObservation } from "../../src/ledger/index.ts";
import { aRevision, type LedgerBench } from "./ledger-bench.ts";

/** What the ledger keeps of datasets beside revisions: their files, templates, runs that are given up, and what became of sources. */
export function datasetContract(bench: LedgerBench): void {
  describe("dataset files", () => {
    const file = (hash: string) => ({ name: "ostia", hash, text: `{"hash":"${hash}"}` });

    test("are kept by hash; the one put last is current", async () => {
      assert.equal(await bench.ledger.putDataset(file("h1")), true);
      assert.equal(await bench.ledger.putDataset(file("h1")), false);
      bench.nowMs += 1;
      assert.equal(await bench.ledger.putDataset(file("h2")), true);
      assert.deepEqual(await bench.ledger.currentDataset("ostia"), { ...file("h2"), appliedMs: bench.nowMs });
      assert.equal(await bench.ledger.datasetText("ostia", "h1"), file("h1").text);
      assert.equal(await bench.ledger.datasetText("ostia", "h3"), undefined);
      bench.nowMs += 1;
      assert.equal(await bench.ledger.putDataset(file("h1")), true);
      assert.deepEqual(await bench.ledger.currentDataset("ostia"), { ...file("h1"), appliedMs: bench.nowMs });
      assert.equal(await bench.ledger.currentDataset("mur"), undefined);
    });

    test("can be kept without becoming current", async () => {
      await bench.ledger.putDataset(file("h1"));
      await bench.ledger.keepDataset(file("h2"));
      await bench.ledger.keepDataset(file("h2"));
      await bench.ledger.keepDataset({ name: "mur", hash: "m", text: "{}" });
      assert.equal(await bench.ledger.datasetText("ostia", "h2"), file("h2").text);
      assert.deepEqual(
        (await bench.ledger.datasets()).map(({ name, hash }) => `${name}@${hash}`),
        ["ostia@h1"],
      );
    });

    test("are listed by name, the current ones only", async () => {
      await bench.ledger.putDataset({ name: "mur", hash: "m", text: "{}" });
      await bench.ledger.putDataset(file("h1"));
      await bench.ledger.putDataset(file("h2"));
      assert.deepEqual(
        (await bench.ledger.datasets()).map(({ name, hash }) => `${name}@${hash}`),
        ["mur@m", "ostia@h2"],
      );
    });
  });

  describe("templates", () => {
    const candidate = (key: string) => ({ key, identity: "etag:1", scan: { uri: `file:///${key}`, sha256: key } });

    test("the first candidate of several at once becomes the template, for all of them", async () => {
      const answers = await Promise.all(
        ["a", "b", "c"].map((key) => bench.ledger.establishTemplate("ostia", "timeseries", candidate(key))),
      );
      const [first] = answers;
      assert.ok(first);
      assert.deepEqual(first, { product: "timeseries", epoch: 1, ...candidate(first.key) });
      for (const answer of answers) assert.deepEqual(answer, first);
    });

    test("each epoch has its own", async () => {
      assert.deepEqual(await bench.ledger.templates("ostia"), []);
      await bench.ledger.establishTemplate("ostia", "timeseries", candidate("b"), 10);
      await bench.ledger.establishTemplate("ostia", "timeseries", candidate("a"), 2);
      await bench.ledger.establishTemplate("ostia", "series", candidate("c"));
      await bench.ledger.establishTemplate("mur", "series", candidate("d"));
      assert.equal((await bench.ledger.establishTemplate("ostia", "timeseries", candidate("z"), 2)).key, "a");
      assert.deepEqual(await bench.ledger.templates("ostia"), [
        { product: "series", epoch: 1, ...candidate("c") },
        { product: "timeseries", epoch: 2, ...candidate("a") },
        { product: "timeseries", epoch: 10, ...candidate("b") },
      ]);
    });
  });

  describe("runs that are given up", () => {
    const run = (runMs: number, more: object = {}) => ({ runMs, reason: "the model failed", by: "anna", leave: false, ...more });

    test("are listed by run, each as it was given up first, of their dataset only", async () => {
      await bench.ledger.giveUpRun("ostia", run(8_640_000_000_000_000, { leave: true }));
      bench.nowMs += 5;
      await bench.ledger.giveUpRun("ostia", run(-3_600_000, { reason: "" }));
      await bench.ledger.giveUpRun("ostia", run(8_640_000_000_000_000, { reason: "late", by: "ben" }));
      await bench.ledger.giveUpRun("mur", run(8_640_000_000_000_000, { by: "ben" }));
      assert.deepEqual(await bench.ledger.givenUpRuns("ostia"), [
        run(-3_600_000, { reason: "", atMs: bench.nowMs }),
        run(8_640_000_000_000_000, { leave: true, atMs: bench.nowMs - 5 }),
      ]);
      assert.deepEqual(await bench.ledger.givenUpRuns("mur"), [run(8_640_000_000_000_000, { by: "ben", atMs: bench.nowMs })]);
      assert.deepEqual(await bench.ledger.givenUpRuns("nobody"), []);
    });

    test("by several at once, one of them holds", async () => {
      const names = ["anna", "ben", "cara"];
      await Promise.all(names.map((by) => bench.ledger.giveUpRun("ostia", run(0, { by, reason: by }))));
      const given = await bench.ledger.givenUpRuns("ostia");
      assert.equal(given.length, 1);
      assert.ok(given[0] !== undefined && given[0].by === given[0].reason && names.includes(given[0].by));
    });
  });

  describe("sources", () => {
    const id = aRevision();
    const note = (state: SourceObservation["state"], found: string, atMs: number, of = id) =>
      bench.ledger.noteSource(of, { state, found, atMs });

    test("that are gone or changed are listed until they are back", async () => {
      const other = aRevision({ key: "b" });
      await bench.ledger.hearAll([id, other]);
      await note("gone", "404", 10);
      bench.nowMs += 5;
      await note("changed", "etag 2", 10, other);
      const { key, identity } = id;
      assert.deepEqual(await bench.ledger.missingSources("ostia"), [
        { key, identity, state: "gone", found: "404", sinceMs: bench.nowMs - 5 },
        { key: "b", identity, state: "changed", found: "etag 2", sinceMs: bench.nowMs },
      ]);
      await note("back", "200", 20);
      await note("back", "200", 20, other);
      assert.deepEqual(await bench.ledger.missingSources("ostia"), []);
      assert.deepEqual(await bench.ledger.missingSources("mur"), []);
    });

    test("the newest observation holds, and one state has one beginning", async () => {
      await bench.hear(id);
      const sinceMs = bench.nowMs;
      await note("gone", "404", 10);
      bench.nowMs += 5;
      await note("gone", "410", 20);
      await note("back", "200", 15);
      await note("gone", "404", 20);
      const one = async () =>
        (await bench.ledger.missingSources("ostia")).map(({ state, found, sinceMs: since }) => [state, found, since]);
      assert.deepEqual(await one(), [["gone", "410", sinceMs]]);
      await note("changed", "etag 2", 30);
      assert.deepEqual(await one(), [["changed", "etag 2", sinceMs + 5]]);
    });

    test("of a revision that nobody has heard of are a conflict", async () => {
      await assert.rejects(note("gone", "404", 10), (error) => isFreshetError(error, "conflict"));
      assert.deepEqual(await bench.ledger.missingSources("ostia"), []);
    });
  });
}
