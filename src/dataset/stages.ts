import { z } from "zod";
import { fillIn } from "./template.ts";
import type { YamlDocument } from "./yaml-documents.ts";

const STAGE_FORM = "a name of at most 16 lower-case letters, digits and hyphens, beginning with a letter";
const OVERLAY_FORM = "a mapping that is laid over the document";

/** `stages` of a document: what differs at each stage, laid over the document. */
export const stagesSchema = z
  .record(
    z.string().regex(/^[a-z][a-z0-9-]{0,15}$/, { error: STAGE_FORM }),
    z.record(z.string(), z.unknown(), { error: OVERLAY_FORM }).nullable(),
    { error: "a mapping from names of stages to what differs there" },
  )
  .describe("What differs at each stage, laid over the document; {stage} stands for the stage's name in every text.");

/** The stages that the documents of a file name, in the order of the file. */
export function stagesOf(documents: readonly YamlDocument[]): string[] {
  return [...new Set(documents.flatMap((document) => Object.keys(stagesIn(document))))];
}

/**
 * The document as it is at a stage: its overlay is laid over it (mappings are joined, anything else is replaced, null removes), `{stage}` is
 * filled in, and a name that says nothing of the stage ends in `.STAGE`. Lines stay those of the file.
 */
export function atStage(document: YamlDocument, stage: string): YamlDocument {
  const { stages: _, ...base } = document.value as Readonly<Record<string, unknown>>;
  const overlay = Object.hasOwn(stagesIn(document), stage) ? (stagesIn(document)[stage] ?? {}) : {};
  const laid = laidOver(base, overlay) as Readonly<Record<string, unknown>>;
  const { name } = laid;
  const isNamed = typeof name !== "string" || name.includes("{stage}") || valueAt(overlay, ["name"]) !== undefined;
  const located = (path: readonly PropertyKey[]): readonly PropertyKey[] =>
    valueAt(overlay, path) === undefined ? path : ["stages", stage, ...path];
  return {
    value: fillIn(isNamed ? laid : { ...laid, name: `${name}.{stage}` }, { stage }),
    lineOf: (path) => document.lineOf(located(path)),
    keyLineOf: (path) => document.keyLineOf(located(path)),
  };
}

function stagesIn({ value }: YamlDocument): Readonly<Record<string, unknown>> {
  const { stages } = value as { readonly stages?: unknown };
  return isMapping(stages) ? stages : {};
}

function laidOver(base: unknown, overlay: unknown): unknown {
  if (!isMapping(base) || !isMapping(overlay)) return overlay;
  const kept = Object.entries(base).filter(([key]) => !Object.hasOwn(overlay, key));
  const laid = Object.entries(overlay)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => [key, Object.hasOwn(base, key) ? laidOver(base[key], value) : value] as const);
  return Object.fromEntries([...kept, ...laid]);
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value;
  for (const part of path) {
    if (found === null || typeof found !== "object" || !Object.hasOwn(found, part)) return undefined;
    found = (found as Record<PropertyKey, unknown>)[part];
  }
  return found;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
