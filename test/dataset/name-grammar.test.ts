import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { compileGrammar, compileNames, validPrecisionMs, validTimeOf } from "../../src/dataset/name-grammar.ts";
import { NameGrammarError } from "../../src/dataset/name-token.ts";

const HOUR_MS = 3_600_000;
const OSTIA = "{valid:%Y%m%d%H%M%S}-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc";
const MOGREPS = "{run:%Y%m%dT%H%MZ}-PT{lead:4}H-temperature_at_screen_level.nc";
const OFS = [
  "cbofs.{run:%Y%m%d}/nos.cbofs.fields.{kind:n|f}{lead:3}.{run:%Y%m%d}.t{run:%H}z.nc",
  "cbofs.t{run:%H}z.{run:%Y%m%d}.fields.{kind:n|f}{lead:3}.nc",
];

describe("a name", () => {
  const cases: readonly [
    grammar: string | readonly string[],
    name: string,
    fields: Record<string, string | number> | undefined,
  ][] = [
    [OSTIA, "20170605120000-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc", { valid: Date.UTC(2017, 5, 5, 12) }],
    [OSTIA, "20170605120000-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02X0.nc", undefined],
    [OSTIA, "20170605120000-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc.md5", undefined],
    [OSTIA, "x20170605120000-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc", undefined],
    [MOGREPS, "20170602T0300Z-PT0012H-temperature_at_screen_level.nc", { run: Date.UTC(2017, 5, 2, 3), lead: 12 * HOUR_MS }],
    [
      OFS,
      "cbofs.20240901/nos.cbofs.fields.n003.20240901.t06z.nc",
      { run: Date.UTC(2024, 8, 1, 6), kind: "n", lead: 3 * HOUR_MS },
    ],
    [OFS, "cbofs.t06z.20240901.fields.n003.nc", { run: Date.UTC(2024, 8, 1, 6), kind: "n", lead: 3 * HOUR_MS }],
    [OFS, "cbofs.20240901/nos.cbofs.fields.x003.20240901.t06z.nc", undefined],
    // The two dates of the run disagree.
    [OFS, "cbofs.20240901/nos.cbofs.fields.n003.20240902.t06z.nc", undefined],
    // Matched at its end, in whole segments.
    ["{valid:%Y%m%d}.nc", "2017/06/20170605.nc", { valid: Date.UTC(2017, 5, 5) }],
    ["{y}/{valid:%Y%m%d}.nc", "20170605.nc", undefined],
    ["{valid:%Y/%m/%d}.nc", "a/2017/06/05.nc", { valid: Date.UTC(2017, 5, 5) }],
    // Days that do not exist, and parts out of range.
    ["{valid:%Y%m%d}.nc", "20170229.nc", undefined],
    ["{valid:%Y%m%d}.nc", "20160229.nc", { valid: Date.UTC(2016, 1, 29) }],
    ["{valid:%Y%m%d%H}.nc", "2017060524.nc", undefined],
    ["{valid:%Y%m}.nc", "201713.nc", undefined],
    ["{valid:%Y%m%d}.nc", "00170605.nc", undefined],
    ["A{valid:%Y%j}.hdf", "A2016366.hdf", { valid: Date.UTC(2016, 11, 31) }],
    ["A{valid:%Y%j}.hdf", "A2017366.hdf", undefined],
    ["{valid:%Y%m%d}.{valid:%j}", "20170201.032", { valid: Date.UTC(2017, 1, 1) }],
    ["{valid:%Y%m%d}.{valid:%j}", "20170201.033", undefined],
    ["{valid:%Y}%.nc", "2017%.nc", { valid: Date.UTC(2017, 0, 1) }],
    ["{{{n:int}}}", "{7}", { n: 7 }],
    ["{n:int}.nc", "007.nc", { n: 7 }],
    ["{n:int}.nc", "1234567890123456.nc", undefined],
    ["t{n:2}.nc", "t7.nc", undefined],
    ["{lead:2m}-{step:1d}", "30-2", { lead: 30 * 60_000, step: 48 * HOUR_MS }],
    ["{kind:ab|abc}{n:int}", "abc1", { kind: "abc", n: 1 }],
    ["{a}-{b}.nc", "x-y-z.nc", { a: "x", b: "y-z" }],
    ["{a}.nc", "x.nc.nc", { a: "x.nc" }],
    ["{a}/{a}.nc", "x/x.nc", { a: "x" }],
    ["{a}/{a}.nc", "x/y.nc", undefined],
    ["{a}.nc", ".nc", undefined],
    ["{a}.nc", "", undefined],
    ["{a}.nc", `${"x".repeat(1_100)}.nc`, undefined],
  ];
  for (const [grammar, name, fields] of cases) {
    test(`${name.slice(0, 80)} is ${fields === undefined ? "not " : ""}of ${grammar}`, () => {
      assert.deepEqual(compileNames([grammar].flat()).match(name), fields);
    });
  }

  test("is read in time that grows with its length, whatever it is", () => {
    // Backtracking would try some 1024^7 ways here.
    const grammar = compileGrammar("{a}-{b}-{c}-{d}-{e}-{f}-{g}x.nc");
    for (let run = 0; run < 20; run++) assert.equal(grammar.match("-".repeat(1_024)), undefined);
    assert.ok(grammar.match(`${"-a".repeat(500)}x.nc`));
  });
});

describe("a valid time", () => {
  test("is the name's own, or run and lead together", () => {
    assert.equal(validTimeOf({ valid: 5, run: 1, lead: 2 }), 5);
    assert.equal(validTimeOf({ run: 1, lead: 2 }), 3);
    assert.equal(validTimeOf({ run: 1 }), undefined);
    assert.equal(validTimeOf({ valid: "2017" }), undefined);
  });
});

describe("a granule key", () => {
  const keyOf = (grammars: string | readonly string[], name: string) => {
    const names = compileNames([grammars].flat());
    return names.key(names.match(name) ?? assert.fail(`${name} does not match`));
  };

  test("is made of the fields, times first", () => {
    assert.equal(keyOf(OSTIA, "20170605120000-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc"), "20170605T120000Z");
    assert.equal(keyOf(MOGREPS, "20170602T0300Z-PT0012H-temperature_at_screen_level.nc"), "20170602T030000Z,012h");
    assert.equal(keyOf("{kind:n|f}.{x:int}.{lead:3m}.{valid:%Y}", "n.07.090.2017"), "20170101T000000Z,090m,7,n");
  });

  test("is the same whichever grammar read the name", () => {
    const key = "20240901T060000Z,003h,n";
    assert.equal(keyOf(OFS, "cbofs.20240901/nos.cbofs.fields.n003.20240901.t06z.nc"), key);
    assert.equal(keyOf(OFS.toReversed(), "cbofs.t06z.20240901.fields.n003.nc"), key);
  });

  test("cannot be taken for a path, an option, or another key", () => {
    assert.equal(keyOf("{a}.nc", "...nc"), "~2e.");
    assert.equal(keyOf("{a}.nc", "-rf.nc"), "~2drf");
    assert.equal(keyOf("{a}_{b}", "x,y_z~"), "x~2cy,z~7e");
    assert.equal(keyOf("{a}", "é \\ :"), "~c3~a9~20~5c~20~3a");
  });

  test("that would be too long keeps its beginning and ends in a hash", () => {
    const [one, two] = ["x", "y"].map((last) => keyOf("{a}.nc", `${"a".repeat(200)}${last}.nc`)) as [string, string];
    assert.equal(one.length, 120);
    assert.match(one, /^a{103}~[0-9a-f]{16}$/);
    assert.notEqual(one, two);
  });

  test("of any names: always safe, and different for different fields", () => {
    const names = compileNames(["{a}/{b}"]);
    const text = fc.string({ minLength: 1, maxLength: 30, unit: "grapheme" }).filter((part) => !part.includes("/"));
    fc.assert(
      fc.property(text, text, text, text, (a, b, c, d) => {
        const [one, two] = [names.key({ a, b }), names.key({ a: c, b: d })];
        assert.match(one, /^[A-Za-z0-9~_][A-Za-z0-9._~,-]{0,119}$/);
        assert.equal(one === two, Buffer.from(a).equals(Buffer.from(c)) && Buffer.from(b).equals(Buffer.from(d)));
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe("a grammar", () => {
  const wrong: readonly [grammar: string, found: RegExp, allowed: RegExp][] = [
    ["", /nothing/, /at least one \{field\}/],
    ["static.nc", /static.nc/, /at least one \{field\}/],
    ["a{valid:%Y", /\{valid:%Y without its \}/, /\{name\}/],
    ["a}b{c}", /\} without its \{/, /\}\}/],
    ["{1a}", /\{1a\}/, /field name/],
    ["{}", /\{\}/, /field name/],
    ["{x:foo}", /\{x:foo\}/, /\{kind:n\|f\}/],
    ["{x:16}", /\{x:16\}/, /digits/],
    ["{x:a|}", /\{x:a\|\}/, /\{kind:n\|f\}/],
    ["{x:a|a}", /\{x:a\|a\}/, /\{kind:n\|f\}/],
    ["{valid:%Y%q}", /%q in \{valid:%Y%q\}/, /%Y %m %d %j/],
    ["{valid:%H}", /\{valid\} of %H/, /%Y, then/],
    ["{valid:%Y%d}", /\{valid\} of %Y %d/, /%Y, then/],
    ["{valid:%Y%m%d%M}", /\{valid\} of %Y %m %d %M/, /none left out/],
    ["{valid:%m%d}", /\{valid\} of/, /%Y, then/],
    ["{valid}", /\{valid\} as text/, /an instant for valid, as in \{valid:%Y%m%d%H\}/],
    ["{lead:%Y%m%d}", /\{lead\} as instant/, /a duration for lead, as in \{lead:3h\}/],
    ["{x:3}-{x}", /\{x\} as integer and as text/, /one kind/],
    ["{a}{b}", /\{a\}\{b\}/, /a character between/],
    [`{a}${"x".repeat(500)}`, /503 characters/, /at most 500/],
  ];
  for (const [grammar, found, allowed] of wrong) {
    test(`${grammar.slice(0, 40)} is refused`, () => {
      assert.throws(
        () => compileGrammar(grammar),
        (error) => {
          assert.ok(error instanceof NameGrammarError);
          assert.match(error.found, found);
          assert.match(error.allowed, allowed);
          return true;
        },
      );
    });
  }

  test("gives a field one kind through all grammars of a dataset", () => {
    assert.throws(() => compileNames(["{x:3}.nc", "{x}.grib"]), /\{x\} as integer in one grammar and as text in another/);
  });

  test("writes the name that it reads", () => {
    const minute = fc
      .integer({ min: Date.UTC(1900, 0, 1) / 60_000, max: Date.UTC(2200, 0, 1) / 60_000 })
      .map((minutes) => minutes * 60_000);
    const text = fc.stringMatching(/^[A-Za-z0-9_]{1,12}$/);
    const fields = fc.record({
      run: minute,
      lead: fc.nat(9_999).map((hours) => hours * HOUR_MS),
      kind: fc.constantFrom("n", "f"),
      n: fc.nat(1e9),
      ofs: text,
    });
    const grammar = compileGrammar("{ofs}.{run:%Y%j}/{kind:n|f}{lead:4}.{ofs}.{run:%Y%m%d}.t{run:%H%M}z.{n:int}.nc");
    fc.assert(
      fc.property(fields, (one) => {
        const name = grammar.write(one) ?? assert.fail("cannot be written");
        assert.deepEqual(grammar.match(name), { ...one });
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  test("matches what an equal regular expression matches", () => {
    const grammar = compileGrammar("{a}-{n:int}{k:x|yy}{t:2}.{a2}");
    const expression = /^([^/]+?)-([0-9]{1,15}?)(x|yy)([0-9]{2})\.([^/]+?)$/;
    const name = fc
      .array(fc.constantFrom("a", "-", "1", "22", "x", "yy", ".", "33."), { maxLength: 14 })
      .map((parts) => parts.join(""));
    let matches = 0;
    fc.assert(
      fc.property(
        fc.oneof(
          name,
          fc.tuple(name, name).map(([left, right]) => `${left}a-1x22.${right}b`),
        ),
        (text) => {
          const expected = expression.exec(text);
          const found = grammar.match(text);
          if (expected !== null) matches++;
          const fields = expected && {
            a: expected[1],
            n: Number(expected[2]),
            k: expected[3],
            t: Number(expected[4]),
            a2: expected[5],
          };
          assert.deepEqual(found ?? null, fields);
        },
      ),
      { seed: 3, numRuns: 1_000 },
    );
    assert.ok(matches > 100, `${matches} matches`);
  });

  test("cannot write what it could not read", () => {
    const grammar = compileGrammar("{run:%Y%m%d}-{lead:2}-{kind:n|f}-{a}");
    const good = { run: 0, lead: HOUR_MS, kind: "n", a: "x" };
    assert.equal(grammar.write(good), "19700101-01-n-x");
    for (const bad of [
      { lead: 100 * HOUR_MS },
      { lead: 90 * 60_000 },
      { lead: -HOUR_MS },
      { kind: "x" },
      { a: "" },
      { a: "x/y" },
      { run: "x" },
    ]) {
      assert.equal(grammar.write({ ...good, ...bad }), undefined, JSON.stringify(bad));
    }
  });
});

test("a name says its time as exactly as its grammar: to the second, the minute, the hour, the day", () => {
  assert.equal(validPrecisionMs([OSTIA]), 1_000);
  assert.equal(validPrecisionMs([MOGREPS]), 60_000);
  assert.equal(validPrecisionMs(["{valid:%Y%m%d%H}.nc"]), HOUR_MS);
  assert.equal(validPrecisionMs(["{valid:%Y%m%d}.nc"]), 24 * HOUR_MS);
  assert.equal(validPrecisionMs(["{valid:%Y%m%d%H}.nc", "{valid:%Y%j}.nc"]), 24 * HOUR_MS, "the least exact of several");
  assert.equal(validPrecisionMs(["{x:3}.nc"]), 1_000, "one that says nothing");
});
