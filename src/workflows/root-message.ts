/** What the innermost error says: Temporal wraps the one that an activity threw. */
export function rootMessage(failure: Error): string {
  let current: Error = failure;
  while (current.cause instanceof Error) current = current.cause;
  return current.message;
}
