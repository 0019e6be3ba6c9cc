import { type ErrorFacts, type ErrorKind, FreshetError } from "../errors/index.ts";
import { retryAfterMs } from "./http-status.ts";

/** What the SDK tells of a request that failed, as far as it does. */
interface ServiceError extends Error {
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

type Meaning = readonly [ErrorKind, summary: string, remedy?: string];

const CREDENTIALS =
  "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; a public bucket is read with s3: { anonymous: true } in the dataset file, --anonymous at the command line";
const FORBIDDEN =
  "Check the credentials and what they allow; where listing is not allowed, the service says the same of an object that is not there";

/** By the service's own words, and by those of the SDK and of Node. */
const BY_NAME: Readonly<Record<string, Meaning>> = {
  NoSuchKey: ["source-missing", "there is no such object"],
  NotFound: ["source-missing", "there is no such object"],
  NoSuchBucket: [
    "source-refused",
    "there is no such bucket",
    "Correct the address, or the region and the endpoint of the source",
  ],
  InvalidObjectState: ["source-refused", "the object is archived", "Restore it, or name a place where its bytes can be read"],
  PreconditionFailed: ["source-changed", "the source changed while it was being read", "Scan it again from the start"],
  InvalidRange: ["source-changed", "the object no longer has these bytes", "Scan it again from the start"],
  SlowDown: ["source-unavailable", "the service is asked too often"],
  TooManyRequestsException: ["source-unavailable", "the service is asked too often"],
  CredentialsProviderError: ["source-refused", "there are no credentials for the service", CREDENTIALS],
  ExpiredToken: ["source-refused", "the credentials have expired", "Renew them"],
  TimeoutError: ["source-unavailable", "the service does not answer in time"],
  ECONNREFUSED: ["source-unavailable", "nothing listens at this address"],
  ECONNRESET: ["source-unavailable", "the service broke the connection"],
  ENOTFOUND: ["source-unavailable", "the service's name is not known"],
  EAI_AGAIN: ["source-unavailable", "the service's name cannot be looked up now"],
};

/**
 * What an error of the SDK means, as one of ours; ours pass through, and so does the reason of a signal that ended the request.
 * @param uri what was asked for.
 */
export function s3Error(error: unknown, uri: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason;
  if (error instanceof FreshetError || !(error instanceof Error)) return error;
  const { name, code, message, $metadata, $response } = error as ServiceError;
  const status = $metadata?.httpStatusCode;
  const region = $response?.headers?.["x-amz-bucket-region"];
  const facts: ErrorFacts = { found: status === undefined ? message : `status ${status}, ${name}`, status, uri, cause: error };
  if (status === 301 || status === 307 || name === "PermanentRedirect" || name === "AuthorizationHeaderMalformed") {
    return new FreshetError("source-refused", "the bucket is in another region, or has another endpoint", {
      ...facts,
      found: region === undefined ? facts.found : `region ${region}`,
      remedy: "Name its region: s3: { region } in the dataset file, --region at the command line",
    });
  }
  const [kind, summary, remedy] = BY_NAME[name] ?? BY_NAME[code ?? ""] ?? byStatus(status);
  const wait = kind === "source-unavailable" ? retryAfterMs($response?.headers?.["retry-after"], Date.now()) : undefined;
  return new FreshetError(kind, summary, { ...facts, remedy, retryAfterMs: wait });
}

function byStatus(status: number | undefined): Meaning {
  if (status === undefined) return ["source-unavailable", "the service cannot be reached"];
  if (status === 401 || status === 403) return ["source-refused", "the service refuses the object", FORBIDDEN];
  if (status === 404) return ["source-missing", "there is no such object"];
  if (status === 412) return BY_NAME.PreconditionFailed as Meaning;
  if (status === 416) return BY_NAME.InvalidRange as Meaning;
  if (status === 408 || status === 429) return BY_NAME.SlowDown as Meaning;
  if (status >= 500) return ["source-unavailable", "the service failed"];
  if (status < 400) return ["source-unavailable", "the service's answer cannot be read"];
  return ["source-refused", "the service does not give the object"];
}
