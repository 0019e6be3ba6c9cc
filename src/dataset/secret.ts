import { FreshetError } from "../errors/index.ts";

/** Any secret reference, wherever it stands in a text. */
export const SECRET_REFERENCE = /\$\{[A-Z_][A-Z0-9_]*\}/;

/** A secret by the name of the environment variable that holds it. The value itself is never part of a parsed file. */
export interface SecretReference {
  readonly env: string;
}

/** The reference in `${NAME}`; undefined for anything else. */
export function parseSecretReference(text: string): SecretReference | undefined {
  const env = /^\$\{([A-Z_][A-Z0-9_]*)\}$/.exec(text)?.[1];
  return env === undefined ? undefined : { env };
}

/**
 * The secret itself. Call it where the value is used, and keep the value nowhere.
 * @throws FreshetError `usage` when the variable is not set, or empty.
 */
export function resolveSecret(
  reference: SecretReference,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const value = environment[reference.env];
  if (value !== undefined && value !== "") return value;
  throw new FreshetError("usage", `the secret \${${reference.env}} is not set`, {
    found: value === undefined ? "no such environment variable" : "an empty environment variable",
    remedy: `Set ${reference.env} in the environment of this process.`,
  });
}
