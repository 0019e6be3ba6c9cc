import type { z } from "zod";
import { showFound } from "./problem.ts";

/** What a schema found wrong, before the line is known. */
export interface Finding {
  readonly path: readonly PropertyKey[];
  readonly found: string;
  readonly allowed: string;
  /** Whether it is the key that is wrong, not its value. */
  readonly isKey: boolean;
}

/** Turns zod's issues about `input` into findings; the schema's messages say what is allowed (see `mapping.ts`). */
export function findingsOf(issues: readonly z.core.$ZodIssue[], input: unknown): Finding[] {
  const strangers = issues.filter(
    (issue) => issue.code === "unrecognized_keys" && hasOnly(valueAt(input, issue.path), issue.keys),
  );
  const isBesides = (finding: Finding) =>
    valueAt(input, finding.path) === undefined && strangers.some((issue) => isParent(issue.path, finding.path));
  return issues.flatMap((issue) => findingsOfIssue(issue, input, [])).filter((finding) => !isBesides(finding));
}

/** Where every key of a mapping is wrong, the missing ones say nothing new. */
function hasOnly(value: unknown, keys: readonly string[]): boolean {
  return Object.keys(value ?? {}).length === keys.length;
}

function isParent(parent: readonly PropertyKey[], path: readonly PropertyKey[]): boolean {
  return path.length === parent.length + 1 && parent.every((part, index) => path[index] === part);
}

function findingsOfIssue(issue: z.core.$ZodIssue, input: unknown, prefix: readonly PropertyKey[]): Finding[] {
  const path = [...prefix, ...issue.path];
  switch (issue.code) {
    case "unrecognized_keys": {
      const lines = issue.message.split("\n");
      return issue.keys.map((key, index) => {
        const [found = "", allowed = ""] = (lines[index] ?? "").split("\t");
        return { path: [...path, key], found, allowed, isKey: true };
      });
    }
    case "invalid_union": {
      // A branch that got further than the type of the value is the one that was meant.
      const meant = issue.errors.find((branch) => !branch.every((inner) => inner.path.length === 0 && isTypeIssue(inner)));
      if (meant !== undefined) return meant.flatMap((inner) => findingsOfIssue(inner, input, path));
      break;
    }
    case "invalid_key":
      return [{ path, found: showFound(issue.path.at(-1)), allowed: issue.issues[0]?.message ?? issue.message, isKey: true }];
  }
  const told = issue.code === "custom" ? issue.params?.found : undefined;
  const found = typeof told === "string" ? told : showFound(valueAt(input, path));
  return [{ path, found, allowed: issue.message, isKey: false }];
}

function isTypeIssue(issue: z.core.$ZodIssue): boolean {
  return issue.code === "invalid_type" || issue.code === "invalid_value";
}

/** What a path leads to; undefined where it ends early. */
function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const part of path) {
    if (value === null || typeof value !== "object") return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}
