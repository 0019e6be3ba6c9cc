import { FreshetError, isFreshetError } from "../errors/index.ts";
import { AwsSecrets } from "./aws-secrets.ts";
import { readSecretFile } from "./secret-file.ts";
import { parseSecretReference, type SecretReference } from "./secret-reference.ts";

/** How long a value is used before it is asked for again. */
const KEPT_MS = 60_000;
/** How soon a provider that does not answer is asked again, and how long the value that it gave last serves meanwhile. */
const AGAIN_MS = 10_000;
const SERVES_MS = 3_600_000;

export interface SecretsOptions {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

interface Kept {
  readonly value: string;
  /** When it was given, in milliseconds since 1970. */
  readonly givenMs: number;
  /** Until when nobody is asked, exclusive. */
  readonly untilMs: number;
}

/**
 * Looks secrets up where they are used: in the environment, a file, AWS Systems Manager Parameter Store, or AWS Secrets Manager. A value is
 * kept for a minute, and in memory only, so that one that is changed is used without a restart; `refused` asks anew at once.
 */
export class Secrets {
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #now: () => number;
  readonly #aws = new AwsSecrets();
  readonly #kept = new Map<string, Kept>();
  readonly #asked = new Map<string, Promise<string>>();

  constructor({ environment = process.env, now = Date.now }: SecretsOptions = {}) {
    this.#environment = environment;
    this.#now = now;
  }

  /**
   * The secret itself. Call it where the value is used, and keep the value nowhere.
   * @throws FreshetError `usage` when it is not there, empty, or we may not have it; `unreachable` when who keeps it does not answer, and
   *   gave nothing within the last hour. Neither shows the value.
   */
  async resolve(reference: SecretReference): Promise<string> {
    if (reference.provider === "environment") return this.#variable(reference);
    const kept = this.#kept.get(reference.text);
    if (kept !== undefined && this.#now() < kept.untilMs) return kept.value;
    const asked = this.#asked.get(reference.text) ?? this.#ask(reference).finally(() => this.#asked.delete(reference.text));
    this.#asked.set(reference.text, asked);
    return asked;
  }

  /** The value of a text that may be a reference; any other text is its own value. @throws as `resolve`. */
  async textOf(text: string): Promise<string> {
    const reference = parseSecretReference(text);
    return reference === undefined ? text : this.resolve(reference);
  }

  /**
   * Somebody did not take what these texts resolve to: they are asked for anew. True when one of them is another now, so that another
   * attempt makes sense.
   * @throws as `resolve`.
   */
  async refused(texts: readonly (string | undefined)[]): Promise<boolean> {
    let isChanged = false;
    for (const text of new Set(texts)) {
      const reference = text === undefined ? undefined : parseSecretReference(text);
      if (reference === undefined || reference.provider === "environment") continue;
      const before = this.#kept.get(reference.text)?.value;
      this.#kept.delete(reference.text);
      isChanged = (await this.resolve(reference)) !== before || isChanged;
    }
    return isChanged;
  }

  async #ask(reference: SecretReference): Promise<string> {
    const now = this.#now();
    try {
      const value = reference.provider === "file" ? await readSecretFile(reference) : await this.#aws.read(reference);
      if (value === "") throw notSet(reference, "an empty text", "Put the secret there");
      this.#kept.set(reference.text, { value, givenMs: now, untilMs: now + KEPT_MS });
      return value;
    } catch (error) {
      const kept = this.#kept.get(reference.text);
      if (!isFreshetError(error, "unreachable") || kept === undefined || now - kept.givenMs >= SERVES_MS) throw error;
      this.#kept.set(reference.text, { ...kept, untilMs: now + AGAIN_MS });
      return kept.value;
    }
  }

  #variable(reference: SecretReference): string {
    const value = this.#environment[reference.name];
    if (value !== undefined && value !== "") return value;
    const found = value === undefined ? "no such environment variable" : "an empty environment variable";
    throw notSet(reference, found, `Set ${reference.name} in the environment of this process`);
  }
}

function notSet({ text }: SecretReference, found: string, remedy: string): FreshetError {
  return new FreshetError("usage", `the secret ${text} is not set`, { found, remedy });
}

/** Those of this process. */
export const secrets = new Secrets();
