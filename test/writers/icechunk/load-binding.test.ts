import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { isFreshetError } from "../../../src/errors/index.ts";
import { renameNewGlibcSymbols } from "../../../src/writers/icechunk/load-binding.ts";

const STRINGS_AT = 64;

/** A 64-bit little-endian ELF file with a dynamic symbol table: names, and whether each symbol is defined here. */
function elf(symbols: readonly (readonly [name: string, isDefined: boolean])[]): Buffer {
  const strings = Buffer.from(`\0${symbols.map(([name]) => name).join("\0")}\0`, "latin1");
  const symbolsAt = STRINGS_AT + strings.length;
  const sectionsAt = symbolsAt + symbols.length * 24;
  const file = Buffer.alloc(sectionsAt + 3 * 64);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  file.writeBigUInt64LE(BigInt(sectionsAt), 0x28);
  file.writeUInt16LE(64, 0x3a);
  file.writeUInt16LE(3, 0x3c);
  file.set(strings, STRINGS_AT);
  let nameAt = 1;
  for (const [index, [name, isDefined]] of symbols.entries()) {
    file.writeUInt32LE(nameAt, symbolsAt + index * 24);
    file.writeUInt16LE(isDefined ? 5 : 0, symbolsAt + index * 24 + 6);
    nameAt += name.length + 1;
  }
  const section = (index: number, type: number, offset: number, size: number, link: number): void => {
    const at = sectionsAt + index * 64;
    file.writeUInt32LE(type, at + 4);
    file.writeBigUInt64LE(BigInt(offset), at + 24);
    file.writeBigUInt64LE(BigInt(size), at + 32);
    file.writeUInt32LE(link, at + 40);
  };
  section(1, 11, symbolsAt, symbols.length * 24, 2);
  section(2, 3, STRINGS_AT, strings.length, 0);
  return file;
}

/** The names of the dynamic symbols, as a linker reads them. */
function namesIn(file: Buffer, count: number): string[] {
  const symbolsAt = Number(file.readBigUInt64LE(Number(file.readBigUInt64LE(0x28)) + 64 + 24));
  return Array.from({ length: count }, (_, index) => {
    const start = STRINGS_AT + file.readUInt32LE(symbolsAt + index * 24);
    return file.toString("latin1", start, file.indexOf(0, start));
  });
}

const isUnsupported = (error: unknown): boolean => isFreshetError(error, "unsupported");

describe("the Icechunk binding on an older glibc", () => {
  test("undefined symbols of the new glibc get their old names; defined ones and others stay", () => {
    const original = elf([
      ["__isoc23_sscanf", false],
      ["__isoc23_strtol", true],
      ["malloc", false],
      ["x__isoc23_y", false],
    ]);
    const patched = renameNewGlibcSymbols(original);
    assert.deepEqual(namesIn(patched, 4), ["sscanf", "__isoc23_strtol", "malloc", "x__isoc23_y"]);
    assert.equal(patched.length, original.length);
    assert.equal(patched.filter((byte, index) => byte !== original[index]).length, 1);
    assert.deepEqual(namesIn(original, 4)[0], "__isoc23_sscanf");
  });

  test("a file without such a symbol is refused: something else keeps it from loading", () => {
    assert.throws(() => renameNewGlibcSymbols(elf([["malloc", false]])), isUnsupported);
  });

  test("a file that is no 64-bit little-endian ELF is refused", () => {
    for (const [at, value] of [
      [0, 0],
      [4, 1],
      [5, 2],
    ] as const) {
      const file = elf([["__isoc23_sscanf", false]]);
      file[at] = value;
      assert.throws(() => renameNewGlibcSymbols(file), isUnsupported);
    }
  });

  const isLinux = process.platform === "linux" && process.arch === "x64";

  test("of the real binding a few bytes change, and no undefined symbol of the new glibc is left", {
    skip: !isLinux,
  }, async () => {
    const require = createRequire(createRequire(import.meta.url).resolve("@earthmover/icechunk"));
    const original = await readFile(require.resolve("@earthmover/icechunk-linux-x64-gnu"));
    const patched = renameNewGlibcSymbols(original);
    let changed = 0;
    for (let at = 0; at < original.length; at++) if (original[at] !== patched[at]) changed++;
    assert.ok(changed > 0 && changed <= 8, `${changed} bytes`);
    assert.throws(() => renameNewGlibcSymbols(patched), isUnsupported);
  });

  test("threads of one process that load it at once all get it, and a broken copy is replaced", { skip: !isLinux }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "freshet-binding-"));
    try {
      const url = new URL("../../../src/writers/icechunk/load-binding.ts", import.meta.url).href;
      const program = `
        import { Worker, isMainThread } from "node:worker_threads";
        const { loadIcechunk } = await import(${JSON.stringify(url)});
        if (isMainThread) {
          const ends = [1, 2].map(() => new Promise((resolve, reject) => new Worker(process.argv[1]).on("exit", resolve).on("error", reject)));
          loadIcechunk();
          const codes = await Promise.all(ends);
          console.log(codes.join(), typeof loadIcechunk().Repository);
          process.exit();
        }
        loadIcechunk();
        process.exit();`;
      const script = join(folder, "load.mjs");
      await writeFile(script, program);
      const { NAPI_RS_NATIVE_LIBRARY_PATH: _, ...env } = process.env;
      const run = (): string =>
        execFileSync(process.execPath, [script], { env: { ...env, FRESHET_CACHE: join(folder, "cache") }, encoding: "utf8" });
      assert.equal(run().trim(), "0,0 function");
      const copies = (await readdir(join(folder, "cache")).catch(() => [])).filter((name) => name.endsWith(".node"));
      const [copy] = copies;
      // Where glibc has the symbols nothing is copied.
      if (copy === undefined) return;
      const path = join(folder, "cache", copy);
      const { size } = await stat(path);
      await writeFile(path, "");
      assert.equal(run().trim(), "0,0 function");
      assert.equal((await stat(path)).size, size);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
