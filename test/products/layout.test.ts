import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isFreshetError } from "../../src/errors/index.ts";
import { differenceOf, Layout } from "../../src/products/index.ts";
import { PAGE_ROWS, readPage } from "../../src/products/layout.ts";

const plain = { noNullPrototype: true } as const;
const row = fc.record(
  {
    key: fc.string({ maxLength: 8 }),
    identity: fc.string({ maxLength: 8 }),
    validMs: fc.integer(),
    scan: fc.record({ uri: fc.string({ maxLength: 8 }), sha256: fc.string({ maxLength: 8 }) }, plain),
  },
  plain,
);
const tables = fc.array(fc.option(row, { nil: null }), { maxLength: 3 * PAGE_ROWS });

const pagesOf = (layout: Layout): string[] => Array.from({ length: layout.pageCount }, (_, page) => layout.page(page));
const rowsOf = (layout: Layout) => Array.from({ length: layout.slots }, (_, slot) => layout.at(slot));

describe("a stored layout", () => {
  test("read from its pages it is what was written, whatever is in it", () => {
    fc.assert(
      fc.property(tables, (rows) => {
        const pages = pagesOf(Layout.of(5, rows));
        assert.equal(pages.length, Math.ceil(rows.length / PAGE_ROWS));
        assert.deepEqual(pages.flatMap(readPage), rows);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  test("its hash changes with any row, with the origin, and with nothing else", () => {
    fc.assert(
      fc.property(
        tables.filter(({ length }) => length > 0),
        fc.nat(),
        (rows, at) => {
          const { hash } = Layout.of(5, rows);
          assert.equal(Layout.of(5, [...rows]).hash, hash);
          assert.notEqual(Layout.of(6, rows).hash, hash);
          assert.notEqual(Layout.of(null, rows).hash, hash);
          const slot = at % rows.length;
          const other = rows[slot] === null ? { key: "k", identity: "i", validMs: 0, scan: { uri: "u", sha256: "s" } } : null;
          assert.notEqual(Layout.of(5, rows.with(slot, other)).hash, hash);
        },
      ),
      { seed: 2, numRuns: 60 },
    );
  });

  test("changed step by step, settled or not, it is the one that is laid out at once", () => {
    const key = fc.integer({ min: 0, max: 400 }).map((number) => ({
      key: `k${number}`,
      identity: "i",
      validMs: number,
      scan: { uri: "u", sha256: "s" },
    }));
    const step = fc.record({
      rows: fc.uniqueArray(key, { maxLength: 6, selector: ({ validMs }) => validMs }),
      clear: fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 3 }),
      isSettled: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        let layout = Layout.of(0, []);
        const model: (ReturnType<typeof rowsOf>[number] | undefined)[] = [];
        for (const { rows, clear, isSettled } of steps) {
          const changes = new Map<number, (typeof rows)[number] | null>();
          for (const slot of clear) if (slot < layout.slots) changes.set(slot, null);
          for (const each of rows) changes.set(each.validMs, each);
          const slots = Math.max(layout.slots, ...[...changes.keys()].map((slot) => slot + 1));
          for (const [slot, each] of changes) model[slot] = each;
          const before = layout;
          layout = layout.with(changes, slots, 0);
          const fresh = Layout.of(
            0,
            Array.from({ length: slots }, (_, slot) => model[slot] ?? null),
          );
          assert.equal(layout.hash, fresh.hash);
          assert.equal(layout.granules, fresh.granules);
          assert.deepEqual(rowsOf(layout), rowsOf(fresh));
          assert.deepEqual(differenceOf(before, layout), differenceOf(Layout.of(before.originMs, rowsOf(before)), fresh));
          for (const { key: name } of rows) assert.equal(layout.slotOf(name), fresh.slotOf(name));
          for (let number = 0; number <= 400; number += 7) assert.equal(layout.slotOf(`k${number}`), fresh.slotOf(`k${number}`));
          if (isSettled) layout.settle();
        }
        const length = Math.floor(layout.slots / 2);
        const cut = layout.with(new Map(), length, 0);
        assert.deepEqual(rowsOf(cut), rowsOf(layout).slice(0, length));
        assert.equal(cut.hash, Layout.of(0, rowsOf(cut)).hash);
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  test("a page that is none is corrupt, in whatever way", () => {
    for (const text of [
      "",
      "{",
      "{}",
      "[1]",
      '[["k","i",1,"u"]]',
      '[["k","i","1","u","s"]]',
      '[["k","i",1,null,"s"]]',
      '[["k",2,1,"u","s"]]',
    ])
      assert.throws(
        () => readPage(text),
        (error) => isFreshetError(error, "corrupt"),
        text,
      );
  });

  test("gaps are no granules; gaps whose instants changed are written again, granules are not", () => {
    const one = { key: "a", identity: "1", validMs: 1, scan: { uri: "u", sha256: "s" } };
    const layout = Layout.of(1, [one, null, null]);
    assert.equal(layout.granules, 1);
    assert.deepEqual(differenceOf(layout, layout).changes, []);
    assert.deepEqual(
      differenceOf(layout, layout, true).changes.map(({ slot }) => slot),
      [1, 2],
    );
    assert.equal(differenceOf(layout, Layout.of(0, [one, null, null])).changes.length, 3);
  });
});
