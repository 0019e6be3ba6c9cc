import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { readDrifts } from "../../src/cli/quarantine/drift-table.ts";
import { table } from "../../src/cli/table.ts";
import { FreshetError } from "../../src/errors/index.ts";
import { describeDrifts } from "../../src/products/index.ts";

suite("a table", () => {
  const columns = [{ title: "granule" }, { title: "why", cut: true }, { title: "more", align: "right", cut: true }] as const;
  const rows = [["20170605T120000Z", "x".repeat(40), "y".repeat(60)]];

  test("is as wide as its cells where nothing limits it", () => {
    assert.deepEqual(
      table(columns, rows, undefined).map((line) => line.length),
      [122, 122],
    );
  });

  test("is cut from its last column on that may be, to the terminal's width", () => {
    const [, line = ""] = table(columns, rows, 100);
    assert.equal(line.length, 100);
    assert.ok(line.includes("x".repeat(40)) && line.endsWith(`${"y".repeat(37)}…`));
    const [, narrow = ""] = table(columns, rows, 70);
    assert.equal(narrow.length, 70);
    assert.match(narrow, /x… {2}y{19}…$/);
  });

  test("keeps twenty characters of what it cuts, and colours only of what is whole", () => {
    const [, line = ""] = table([{ title: "", cut: true }], [["\u001b[31mred and much too long for this\u001b[39m"]], 10);
    assert.equal(line, "  red and much too lo…");
    assert.ok(table([{ title: "", cut: true }], [["\u001b[31mred\u001b[39m"]], 10)[1]?.includes("\u001b[31mred"));
  });
});

suite("the reason of a granule that does not fit", () => {
  const reasonOf = (drifts: Parameters<typeof describeDrifts>[0]): string =>
    new FreshetError("drift", "the granule does not fit the dataset", {
      found: describeDrifts(drifts),
      remedy: "The dataset's form is that of 20170605T120000Z",
    }).message;

  test("is taken apart into what was found and what was expected", () => {
    const drifts = [
      { path: "", fact: "steps", found: "2", expected: "1" },
      { path: "/sst", fact: "scale_factor", found: "0.02 (float32)", expected: "0.01 (float32)" },
      { path: "/a/flag", fact: "flag_meanings", found: "good; bad: found late", expected: "good" },
      { path: "/lat", fact: "attribute role", found: "absent", expected: "x" },
    ];
    const told = readDrifts(reasonOf(drifts));
    assert.deepEqual(told?.drifts, drifts);
    assert.deepEqual(told?.rest, ["The dataset's form is that of 20170605T120000Z"]);
  });

  test("says how many more there are", () => {
    const drifts = Array.from({ length: 7 }, (_, index) => ({ path: `/v${index}`, fact: "units", found: "K", expected: "degC" }));
    const told = readDrifts(reasonOf(drifts));
    assert.deepEqual([told?.drifts.length, told?.rest[0]], [5, "and 2 more"]);
  });

  test("is left as it is where it is another one", () => {
    assert.equal(readDrifts("the file looks like text"), undefined);
  });
});
