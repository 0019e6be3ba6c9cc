import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { SSMClient } from "@aws-sdk/client-ssm";
import { FreshetError } from "../errors/index.ts";
import type { SecretReference } from "./secret-reference.ts";

const LIMITS = { connectionTimeout: 5_000, requestTimeout: 10_000, throwOnRequestTimeout: true } as const;

/** The keepers of secrets of AWS. Clients are loaded and made when the first secret is asked for; credentials are the SDK's own business. */
export class AwsSecrets {
  readonly #ssm = new Map<string | undefined, SSMClient>();
  readonly #manager = new Map<string | undefined, SecretsManagerClient>();

  /** @throws FreshetError `usage` when it is not there or not for us; `unreachable` when nobody answers. */
  async read(reference: SecretReference): Promise<string> {
    const region = /^arn:[^:]+:[^:]+:([^:]+):/.exec(reference.name)?.[1];
    try {
      return reference.provider === "ssm" ? await this.#parameter(reference, region) : await this.#secret(reference, region);
    } catch (error) {
      throw error instanceof FreshetError ? error : refusalOf(error, reference);
    }
  }

  async #parameter({ name, text }: SecretReference, region: string | undefined): Promise<string> {
    const { GetParameterCommand, SSMClient } = await import("@aws-sdk/client-ssm");
    const client = this.#ssm.get(region) ?? new SSMClient(settings(region));
    this.#ssm.set(region, client);
    const { Parameter } = await client.send(new GetParameterCommand({ Name: name, WithDecryption: true }));
    return Parameter?.Value ?? missing(text, "a parameter without a value");
  }

  async #secret(reference: SecretReference, region: string | undefined): Promise<string> {
    const { GetSecretValueCommand, SecretsManagerClient } = await import("@aws-sdk/client-secrets-manager");
    const client = this.#manager.get(region) ?? new SecretsManagerClient(settings(region));
    this.#manager.set(region, client);
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: reference.name }));
    const whole = SecretString ?? missing(reference.text, "a secret that is no text");
    return "key" in reference && reference.key !== undefined ? member(whole, reference.key, reference.text) : whole;
  }
}

function settings(region: string | undefined) {
  return { ...(region === undefined ? {} : { region }), maxAttempts: 2, requestHandler: LIMITS };
}

/** The text under a key of a JSON object. What `JSON.parse` says would quote the secret, and is not passed on. */
function member(json: string, key: string, text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return missing(text, "a text that is no JSON");
  }
  const isThere = value !== null && typeof value === "object" && Object.hasOwn(value, key);
  const found = isThere ? (value as Record<string, unknown>)[key] : undefined;
  if (typeof found === "string" || typeof found === "number") return String(found);
  return missing(text, isThere ? "a value that is no text under this key" : "no such key");
}

function missing(text: string, found: string): never {
  throw new FreshetError("usage", `the secret ${text} is not set`, { found, remedy: "Correct the reference, or the secret" });
}

const REFUSALS: readonly { readonly names: RegExp; readonly summary: string; readonly remedy: string }[] = [
  {
    names: /^(ParameterNotFound|ParameterVersionNotFound|ResourceNotFoundException)$/,
    summary: "is not there",
    remedy: "Make it, or correct its name, or the region (AWS_REGION)",
  },
  {
    names: /^(AccessDeniedException|AccessDenied|DecryptionFailure|InvalidKeyId|KMSAccessDeniedException)$/,
    summary: "is not for us",
    remedy: "Allow this process ssm:GetParameter or secretsmanager:GetSecretValue on it, and kms:Decrypt on its key",
  },
  {
    names: /^(CredentialsProviderError|UnrecognizedClientException|InvalidSignatureException|ExpiredTokenException)$/,
    summary: "cannot be asked for",
    remedy: "Give this process credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or a role",
  },
  { names: /^(ValidationException|InvalidParameterException)$/, summary: "has no possible name", remedy: "Correct its name" },
];

function refusalOf(error: unknown, { text }: SecretReference): FreshetError {
  const { name, message, code } = error as Error & { code?: string };
  const refusal = /Region is missing/.test(message)
    ? { summary: "cannot be asked for", remedy: "Set AWS_REGION, or write its ARN" }
    : REFUSALS.find(({ names }) => names.test(name));
  // Only the name of what went wrong: the words of a service may repeat what it was asked, or gave.
  const found = name === "Error" ? (code ?? (refusal === undefined ? "no answer" : "no region")) : name;
  if (refusal !== undefined) {
    return new FreshetError("usage", `the secret ${text} ${refusal.summary}`, { found, remedy: refusal.remedy });
  }
  return new FreshetError("unreachable", `who keeps the secret ${text} does not answer`, {
    found,
    remedy: "See that the region (AWS_REGION) is right and its service can be reached from here",
  });
}
