/** Numbers of one kind, in milliseconds unless their name says otherwise. */
export interface Summary {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

export function summarize(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number): number => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN);
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), max: round(sorted.at(-1) ?? Number.NaN) };
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** A table for a terminal; numbers to the right. */
export function table(rows: readonly Readonly<Record<string, string | number>>[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [names, ...rows.map((row) => names.map((name) => String(row[name] ?? "")))];
  const widths = names.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const isText = names.map((name) => rows.some((row) => typeof row[name] === "string"));
  return lines
    .map((line) =>
      line
        .map((cell, column) => (isText[column] ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join("  "),
    )
    .join("\n");
}

/** Times how long each of several things took, by name, and adds up what is done more than once. */
export class Parts {
  readonly #spans = new Map<string, number>();
  #last = performance.now();

  /** Everything since the last mark was `name`. */
  mark(name: string): void {
    const now = performance.now();
    this.#spans.set(name, (this.#spans.get(name) ?? 0) + now - this.#last);
    this.#last = now;
  }

  get spans(): ReadonlyMap<string, number> {
    return this.#spans;
  }
}

/** One row for each part: its summary over all runs. */
export function partRows(runs: readonly Parts[], about: Readonly<Record<string, string | number>> = {}) {
  const names = [...new Set(runs.flatMap(({ spans }) => [...spans.keys()]))];
  const totals = runs.map(({ spans }) => [...spans.values()].reduce((sum, span) => sum + span, 0));
  return [
    ...names.map((part) => ({ ...about, part, ...summarize(runs.map(({ spans }) => spans.get(part) ?? 0)) })),
    { ...about, part: "all", ...summarize(totals) },
  ];
}
