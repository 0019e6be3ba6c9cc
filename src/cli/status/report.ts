/** What `freshet status` says, for people and for programs. */
export interface StatusReport {
  readonly lines: readonly string[];
  /** One object a line with `--json`. */
  readonly records: readonly unknown[];
}

/** How long ago something was, in its largest unit: `12 s`, `3 min`, `5 h`, `8 d`. */
export function describeAge(atMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - atMs) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}

/** An instant to the second, as ISO 8601 in UTC. */
export function instant(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
