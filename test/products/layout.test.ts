import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isFreshetError } from "../../src/errors/index.ts";
import { differenceOf, granulesOf, type Layout, layoutHash, PAGE_ROWS, pageOf, pagesOf } from "../../src/products/index.ts";
import { readPage } from "../../src/products/layout.ts";

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
const layouts = fc
  .array(fc.option(row, { nil: null }), { maxLength: 3 * PAGE_ROWS })
  .map((rows): Layout => ({ originMs: 5, rows }));

describe("a stored layout", () => {
  test("read from its pages it is what was written, whatever is in it", () => {
    fc.assert(
      fc.property(layouts, (layout) => {
        const pages = pagesOf(layout);
        assert.equal(pages.length, Math.ceil(layout.rows.length / PAGE_ROWS));
        assert.deepEqual(pages.flatMap(readPage), layout.rows);
        for (const [page, text] of pages.entries()) assert.equal(pageOf(layout, page), text);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  test("its hash changes with any row, with the origin, and with nothing else", () => {
    fc.assert(
      fc.property(
        layouts.filter(({ rows }) => rows.length > 0),
        fc.nat(),
        (layout, at) => {
          const hash = layoutHash(layout.originMs, pagesOf(layout));
          assert.equal(layoutHash(layout.originMs, pagesOf({ ...layout, rows: [...layout.rows] })), hash);
          assert.notEqual(layoutHash(6, pagesOf(layout)), hash);
          assert.notEqual(layoutHash(null, pagesOf(layout)), hash);
          const slot = at % layout.rows.length;
          const other =
            layout.rows[slot] === null ? { key: "k", identity: "i", validMs: 0, scan: { uri: "u", sha256: "s" } } : null;
          assert.notEqual(layoutHash(layout.originMs, pagesOf({ ...layout, rows: layout.rows.with(slot, other) })), hash);
        },
      ),
      { seed: 2, numRuns: 60 },
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
    const layout: Layout = { originMs: 1, rows: [one, null, null] };
    assert.equal(granulesOf(layout), 1);
    assert.deepEqual(differenceOf(layout, layout).changes, []);
    assert.deepEqual(
      differenceOf(layout, layout, true).changes.map(({ slot }) => slot),
      [1, 2],
    );
    assert.equal(differenceOf(layout, { ...layout, originMs: 0 }).changes.length, 3);
  });
});
