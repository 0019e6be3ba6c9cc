/** A lead as a dataset file writes it: `6h`, `90m`, `45s`, `-2h`. */
export function describeLead(leadMs: number): string {
  if (leadMs % 3_600_000 === 0) return `${leadMs / 3_600_000}h`;
  return leadMs % 60_000 === 0 ? `${leadMs / 60_000}m` : `${leadMs / 1000}s`;
}
