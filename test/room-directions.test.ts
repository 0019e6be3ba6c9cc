import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { cruise } from "dependency-cruiser";

interface Config {
  readonly default: { readonly forbidden: readonly never[]; readonly options: object };
}

/** What each file imports, and the rules that this breaks. */
const cases: Readonly<Record<string, readonly [imports: string, broken: readonly string[]]>> = {
  "src/errors/upward.ts": ['import { main } from "../cli/main.ts"; export const x = main;', ["errors-imports-only-rooms-below"]],
  "src/errors/upward-type.ts": [
    'import type { Main } from "../cli/main.ts"; export type X = Main;',
    ["errors-imports-only-rooms-below"],
  ],
  "src/errors/upward-later.ts": ['export const x = () => import("../cli/main.ts");', ["errors-imports-only-rooms-below"]],
  "src/cli/main.ts": ['export { x } from "../errors/alone.ts"; export const main = 1; export type Main = 1;', []],
  "src/errors/alone.ts": ["export const x = 1;", []],
  "src/formats/hdf5/a.ts": ['export { b } from "../netcdf3/b.ts";', ["formats-do-not-know-each-other"]],
  "src/formats/netcdf3/b.ts": [
    'import { readFile } from "node:fs/promises"; export const b = readFile;',
    ["formats-import-nothing-of-node"],
  ],
  "src/contract/types.ts": ['import type { P } from "../products/p.ts"; export type Q = P;', []],
  "src/contract/values.ts": ['import { p } from "../products/p.ts"; export const q = p;', ["contract-is-types-and-constants"]],
  "src/contract/scan.ts": ['import type { S } from "../scan/s.ts"; export type T = S;', ["contract-knows-few-rooms"]],
  "src/products/p.ts": ["export const p = 1; export type P = 1;", []],
  "src/scan/s.ts": ["export type S = 1;", []],
  "src/activities/a.ts": ["export const a = 1; export type A = 1;", []],
  "src/workflows/types.ts": ['import type { A } from "../activities/a.ts"; export type B = A;', []],
  "src/workflows/values.ts": ['import { a } from "../activities/a.ts"; export const b = a;', ["workflows-stay-deterministic"]],
  "src/workflows/pure.ts": [
    'import type { P } from "../products/p.ts"; export type R = P;',
    ["workflows-take-types-of-activities-only"],
  ],
  "src/workflows/clock.ts": [
    'import { hrtime } from "node:process"; export const now = hrtime;',
    ["workflows-import-only-temporal"],
  ],
  "src/cellar/new.ts": ['export { x } from "../errors/alone.ts";', ["every-folder-is-a-room"]],
  "src/storage/one.ts": ['import { two } from "./two.ts"; export const one = () => two;', ["no-cycles"]],
  "src/storage/two.ts": ['import { one } from "./one.ts"; export const two = () => one;', []], // a cycle is reported once
};

describe("the rules of .dependency-cruiser.mjs", () => {
  let folder = "";
  const broken = new Map<string, string[]>();
  let seen = 0;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freshet-rooms-"));
    for (const [file, [content]] of Object.entries(cases)) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), content);
    }
    const { default: config } = (await import(new URL("../.dependency-cruiser.mjs", import.meta.url).href)) as Config;
    const { tsConfig: _, ...options } = config.options as { tsConfig?: unknown };
    const { output } = await cruise(["src"], {
      ...options,
      baseDir: folder,
      validate: true,
      ruleSet: { forbidden: [...config.forbidden] },
    });
    assert.ok(typeof output === "object");
    seen = output.modules.filter(({ source }) => source in cases).length;
    for (const { from, rule } of output.summary.violations) broken.set(from, [...(broken.get(from) ?? []), rule.name]);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test("are asked of every module", () => assert.equal(seen, Object.keys(cases).length));

  for (const [file, [content, expected]] of Object.entries(cases)) {
    test(`${file}: ${content.split(";")[0]}: ${expected.join(", ") || "allowed"}`, () => {
      assert.deepEqual(broken.get(file) ?? [], expected);
    });
  }
});
