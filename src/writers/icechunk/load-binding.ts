import { createHash, randomUUID } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { FreshetError } from "../../errors/index.ts";

export type Icechunk = typeof import("@earthmover/icechunk");

const NATIVE_PACKAGE = "@earthmover/icechunk-linux-x64-gnu";
const PATH_VARIABLE = "NAPI_RS_NATIVE_LIBRARY_PATH";
const NEW_GLIBC_PREFIX = "__isoc23_";

let loaded: Icechunk | undefined;

/**
 * The official Icechunk binding. Its Linux build asks for two symbols that glibc has only since 2.38 (`__isoc23_sscanf`,
 * `__isoc23_strtol`); on an older glibc a copy is made in the cache folder in which these two names read `sscanf` and
 * `strtol`, and that copy is loaded. Where the binding loads as it is, nothing is copied.
 *
 * The probe is a `require`, not an `import`: an ESM import that failed once stays failed in its thread.
 * @throws FreshetError `unsupported` where there is no build for this platform.
 */
export function loadIcechunk(): Icechunk {
  if (loaded !== undefined) return loaded;
  const require = createRequire(import.meta.url);
  if (process.platform === "linux" && process.arch === "x64" && process.env[PATH_VARIABLE] === undefined) {
    preparePatchedCopy(createRequire(require.resolve("@earthmover/icechunk")));
  }
  try {
    loaded = require("@earthmover/icechunk") as Icechunk;
  } catch (cause) {
    throw new FreshetError("unsupported", "the Icechunk binding does not load on this machine", {
      found: `${process.platform}-${process.arch}: ${rootMessage(cause)}`,
      expected: "linux-x64 with glibc, darwin-arm64 or win32-x64",
      remedy: "Run Freshet on one of these platforms",
      cause,
    });
  }
  return loaded;
}

function preparePatchedCopy(requireFromBinding: NodeJS.Require): void {
  try {
    requireFromBinding(NATIVE_PACKAGE);
    return;
  } catch (error) {
    if (!new RegExp(`undefined symbol: ${NEW_GLIBC_PREFIX}`).test(rootMessage(error))) return;
  }
  const original = readFileSync(requireFromBinding.resolve(NATIVE_PACKAGE));
  const digest = createHash("sha256").update(original).digest("hex").slice(0, 16);
  const folder = process.env.FRESHET_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "freshet");
  const copy = join(folder, `icechunk-${digest}.node`);
  // The same length, or a power cut has left a part of it: names are moved, nothing is added.
  if (statSync(copy, { throwIfNoEntry: false })?.size !== original.length) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const temporary = `${copy}.${randomUUID()}`;
    writeFileSync(temporary, renameNewGlibcSymbols(original));
    chmodSync(temporary, 0o700);
    renameSync(temporary, copy);
  }
  process.env[PATH_VARIABLE] = copy;
}

/**
 * A copy of a 64-bit little-endian ELF shared object in which each undefined dynamic symbol `__isoc23_x` is named `x`:
 * its `st_name` is moved on by nine characters, so it names the tail of the same string.
 * ELF-64 Object File Format: header (e_shoff at 0x28, e_shentsize 0x3a, e_shnum 0x3c), section header (sh_type +4,
 * sh_offset +24, sh_size +32, sh_link +40), symbol (st_name +0, st_shndx +6, 24 bytes).
 */
export function renameNewGlibcSymbols(original: Uint8Array): Buffer {
  const bytes = Buffer.from(original);
  if (bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1) {
    throw new FreshetError("unsupported", "the Icechunk binding is not a 64-bit little-endian ELF file");
  }
  const u64 = (at: number): number => Number(bytes.readBigUInt64LE(at));
  const sections = Array.from({ length: bytes.readUInt16LE(0x3c) }, (_, index) => {
    const at = u64(0x28) + index * bytes.readUInt16LE(0x3a);
    return { type: bytes.readUInt32LE(at + 4), offset: u64(at + 24), size: u64(at + 32), link: bytes.readUInt32LE(at + 40) };
  });
  const symbols = sections.find((section) => section.type === 11);
  const strings = symbols === undefined ? undefined : sections[symbols.link];
  let renamed = 0;
  if (symbols !== undefined && strings !== undefined) {
    for (let at = symbols.offset; at < symbols.offset + symbols.size; at += 24) {
      if (bytes.readUInt16LE(at + 6) !== 0) continue;
      const name = bytes.readUInt32LE(at);
      const start = strings.offset + name;
      if (bytes.toString("latin1", start, start + NEW_GLIBC_PREFIX.length) !== NEW_GLIBC_PREFIX) continue;
      bytes.writeUInt32LE(name + NEW_GLIBC_PREFIX.length, at);
      renamed++;
    }
  }
  if (renamed === 0)
    throw new FreshetError("unsupported", "the Icechunk binding has no symbol that this glibc lacks, yet it does not load");
  return bytes;
}

function rootMessage(error: unknown): string {
  const messages: string[] = [];
  for (let current = error; current instanceof Error; current = current.cause) messages.push(current.message);
  return messages.join(": ");
}
