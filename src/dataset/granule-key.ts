import { createHash } from "node:crypto";
import type { NameFields } from "../ledger/index.ts";
import type { FieldKind } from "./name-token.ts";

/** With `granule:`, a dataset name of at most 64 characters and a colon, a workflow id stays below 200 characters. */
const MAX_KEY_CHARACTERS = 120;
const HASH_CHARACTERS = 16;

const RANK: Readonly<Record<FieldKind, number>> = { instant: 0, duration: 1, integer: 2, text: 3 };

/**
 * The key of the granule whose name has these fields: their values, joined by commas; instants first, then durations,
 * integers and texts, each kind by name, so that keys of a dataset sort by time: `20170602T030000Z,012h`.
 *
 * The same fields give the same key whichever grammar read them. It has only letters, digits and `. , _ ~ -`, begins with
 * a letter, a digit or `~`, and cannot be taken for a path or an option. Every other character of a text is `~` and two hex
 * digits for each byte. A key that would be too long ends in a hash.
 */
export function granuleKey(fields: NameFields, kinds: ReadonlyMap<string, FieldKind>): string {
  const key = keyOrder(kinds)
    .map((name) => keyPart(fields[name] ?? "", kinds.get(name)))
    .join(",");
  if (key.length <= MAX_KEY_CHARACTERS) return key;
  const hash = createHash("sha256").update(key).digest("hex").slice(0, HASH_CHARACTERS);
  return `${key.slice(0, MAX_KEY_CHARACTERS - HASH_CHARACTERS - 1)}~${hash}`;
}

function keyOrder(kinds: ReadonlyMap<string, FieldKind>): string[] {
  return [...kinds.keys()].sort((a, b) => rankOf(kinds, a) - rankOf(kinds, b) || (a < b ? -1 : 1));
}

function rankOf(kinds: ReadonlyMap<string, FieldKind>, name: string): number {
  return RANK[kinds.get(name) ?? "text"];
}

function keyPart(value: string | number, kind: FieldKind | undefined): string {
  if (typeof value === "string") return encodeText(value);
  if (kind === "instant") return new Date(value).toISOString().replace(/[-:]|\.000/g, "");
  if (kind !== "duration") return String(value);
  const [unit, unitMs] = value % 3_600_000 === 0 ? ["h", 3_600_000] : value % 60_000 === 0 ? ["m", 60_000] : ["s", 1000];
  return `${String(value / Number(unitMs)).padStart(3, "0")}${unit}`;
}

function encodeText(text: string): string {
  const encoded = [...Buffer.from(text, "utf8")].map((byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9._-]/.test(character) ? character : encodeByte(byte);
  });
  const first = encoded[0];
  // A leading dot or hyphen would make a hidden file, `..`, or an option of it.
  if (first === "." || first === "-") encoded[0] = encodeByte(first.charCodeAt(0));
  return encoded.join("");
}

function encodeByte(byte: number): string {
  return `~${byte.toString(16).padStart(2, "0")}`;
}

/**
 * What the keys of a run's granules begin with; undefined where another field stands before `run`. Keys of earlier runs sort before it,
 * those of later ones after it.
 */
export function keyPrefixOfRun(kinds: ReadonlyMap<string, FieldKind>, runMs: number): string | undefined {
  return keyOrder(kinds)[0] === "run" ? keyPart(runMs, kinds.get("run")) : undefined;
}
