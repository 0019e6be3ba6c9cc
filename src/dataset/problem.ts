import { FreshetError } from "../errors/index.ts";

/** One thing that is wrong with a dataset file. */
export interface Problem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** `products[0].timeseries.store`; "" for the document itself. */
  readonly path: string;
  readonly found: string;
  readonly allowed: string;
}

/** Everything that is wrong with a dataset file; the message has one line for each problem. */
export class DatasetFileError extends FreshetError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super("dataset-file", problems.map(formatProblem).join("\n"));
    this.problems = problems;
  }
}

/** `FILE:LINE: path: found …, allowed …` */
function formatProblem({ file, line, path, found, allowed }: Problem): string {
  return `${file}:${line}: ${path === "" ? "" : `${path}: `}found ${found}, allowed ${allowed}`;
}

/** A value as a problem shows it: short, on one line. */
export function showFound(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return "a mapping";
  const text = JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 117)}…"` : text;
}

export function showPath(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
}
