/** Takes secrets out of what others say, so that it can be shown: their libraries quote what they were given. */
export class Redaction {
  readonly #secrets: readonly string[];

  /** Secrets of fewer than three characters are left: to take them out would take words apart. */
  constructor(secrets: readonly (string | undefined)[]) {
    const all = secrets.filter((secret) => secret !== undefined && secret.length > 2) as string[];
    this.#secrets = all.flatMap((secret) => [secret, encodeURIComponent(secret)]).sort((a, b) => b.length - a.length);
  }

  /** What an error says, in one line. */
  of(error: unknown): string {
    let text = sentence(error);
    for (const secret of this.#secrets) text = text.replaceAll(secret, "***");
    return text;
  }
}

function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A host with several addresses: each of them has failed, and the sum of it says nothing.
  const [first] = error instanceof AggregateError ? error.errors : [];
  if (first !== undefined) return sentence(first);
  const { code } = error as NodeJS.ErrnoException;
  const line = error.message.trim().replace(/\s*\n\s*/g, " ") || error.name;
  return typeof code === "string" && !line.includes(code) ? `${code}: ${line}` : line;
}
