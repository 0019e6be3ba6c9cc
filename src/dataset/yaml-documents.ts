import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseAllDocuments } from "yaml";

/** Dataset files are written by people; beyond this it is something else. */
const MAX_CHARACTERS = 1024 * 1024;

/** Deeper than any dataset file; an anchor inside what it names has no bottom at all. */
const MAX_DEPTH = 30;

/** One YAML document of a file. */
export interface YamlDocument {
  /** Its content as plain data. */
  readonly value: unknown;
  /**
   * The line (from 1) of what the path leads to: a single value's own line; for a list or mapping that of its key. Where
   * the path ends early (a missing key), the last line that there is.
   */
  readonly lineOf: (path: readonly PropertyKey[]) => number;
  /** The line of the last key of the path. */
  readonly keyLineOf: (path: readonly PropertyKey[]) => number;
}

export interface YamlFault {
  readonly line: number;
  readonly fault: string;
}

/** Reads every document of a file; documents without content are left out. */
export function readYaml(text: string): { readonly documents: readonly YamlDocument[]; readonly faults: readonly YamlFault[] } {
  if (text.length > MAX_CHARACTERS) return { documents: [], faults: [{ line: 1, fault: "a file of more than 1 MiB" }] };
  const lines = new LineCounter();
  const lineAt = (offset: number) => Math.max(1, lines.linePos(offset).line);
  const faults: YamlFault[] = [];
  const documents: YamlDocument[] = [];
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  for (const document of Array.isArray(parsed) ? parsed : []) {
    const wrong = [...document.errors, ...document.warnings];
    for (const error of wrong) faults.push({ line: lineAt(error.pos[0]), fault: `broken YAML (${error.message})` });
    if (wrong.length > 0) continue;
    try {
      const value: unknown = document.toJS();
      if (value === null || value === undefined) continue;
      if (isDeeperThan(value, MAX_DEPTH)) {
        faults.push({ line: lineAt(document.range[0]), fault: `lists and mappings in each other more than ${MAX_DEPTH} deep` });
        continue;
      }
      documents.push({
        value,
        lineOf: (path) => lineAt(offsetOf(document, path, false)),
        keyLineOf: (path) => lineAt(offsetOf(document, path, true)),
      });
    } catch (error) {
      faults.push({ line: lineAt(document.range[0]), fault: `broken YAML (${(error as Error).message})` });
    }
  }
  return { documents, faults };
}

function isDeeperThan(value: unknown, depth: number): boolean {
  if (value === null || typeof value !== "object") return false;
  return depth === 0 || Object.values(value).some((member) => isDeeperThan(member, depth - 1));
}

function offsetOf(document: Document.Parsed, path: readonly PropertyKey[], ofKey: boolean): number {
  let node: unknown = document.contents;
  let offset = (node as Node).range?.[0] ?? 0;
  for (const part of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(part)) as
        | Pair<Node, Node>
        | undefined;
      if (pair === undefined) return offset;
      offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
      if (!ofKey && isScalar(node) && node.value !== null) offset = node.range?.[0] ?? offset;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}
