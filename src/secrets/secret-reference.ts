/** What a reference to a secret looks like, for messages. */
export const SECRET_FORM = `\${NAME}, \${file:/PATH}, \${ssm:/PATH} or \${secret:NAME#KEY}`;

/** Anything that looks like a reference to a secret, wherever it stands in a text. */
export const SECRET_REFERENCE = /\$\{(?:[A-Z_][A-Z0-9_]*|[a-z]+:[^}]*)\}/;

/**
 * A secret by its name; the value itself is never part of a parsed file. `key`: the secret is a JSON object, and it is the text under that
 * key that is meant.
 */
export type SecretReference = { readonly text: string } & (
  | { readonly provider: "environment" | "file" | "ssm"; readonly name: string }
  | { readonly provider: "secret"; readonly name: string; readonly key?: string }
);

const FORMS: readonly (readonly [pattern: RegExp, provider: SecretReference["provider"]])[] = [
  [/^\$\{([A-Z_][A-Z0-9_]*)\}$/, "environment"],
  [/^\$\{file:(\/[^{}#\p{Cc}]{1,1000})\}$/u, "file"],
  // Names of parameters, or their ARNs (AWS Systems Manager, PutParameter).
  [/^\$\{ssm:(\/[A-Za-z0-9_./-]{1,1010}|arn:aws[a-z-]*:ssm:[A-Za-z0-9_./:-]{1,1000})\}$/, "ssm"],
  // Names of secrets, or their ARNs (AWS Secrets Manager, CreateSecret).
  [
    /^\$\{secret:([A-Za-z0-9/_+=.@-]{1,512}|arn:aws[a-z-]*:secretsmanager:[A-Za-z0-9/_+=.@:-]{1,1000})(?:#([^{}#\p{Cc}]{1,200}))?\}$/u,
    "secret",
  ],
];

/** The reference that a text is, whole; undefined for anything else. */
export function parseSecretReference(text: string): SecretReference | undefined {
  for (const [pattern, provider] of FORMS) {
    const [, name, key] = pattern.exec(text) ?? [];
    if (name !== undefined) return { text, provider, name, ...(key === undefined ? {} : { key }) } as SecretReference;
  }
  return undefined;
}
