import { verify, X509Certificate } from "node:crypto";
import { FreshetError } from "../../errors/index.ts";

/** Messages of SNS that may come without a token, since SNS signs them. */
export interface SnsTrust {
  /** ARNs of the topics that may; at least one. Anybody may have a topic, and SNS signs for all. */
  readonly topics: readonly string[];
  /** Whether a topic's request to confirm its subscription is answered. */
  readonly confirm: boolean;
  /** For tests: where certificates and confirmations are, in place of AWS. */
  readonly service?: string | undefined;
}

const TOPIC = /^arn:aws(-[a-z-]{1,20})?:sns:[a-z0-9-]{3,40}:\d{12}:[A-Za-z0-9_.-]{1,260}$/;

/**
 * What `FRESHET_WEBHOOK_SNS` (ARNs of topics, divided by commas) and `FRESHET_WEBHOOK_SNS_CONFIRM` (`1`) say; undefined where the first is not set.
 * @throws FreshetError `usage` for what is no topic.
 */
export function snsTrustOf(environment: NodeJS.ProcessEnv): SnsTrust | undefined {
  const { FRESHET_WEBHOOK_SNS: text, FRESHET_WEBHOOK_SNS_CONFIRM: confirm } = environment;
  if (text === undefined) return undefined;
  const topics = text.split(",").map((topic) => topic.trim());
  const wrong = topics.find((topic) => !TOPIC.test(topic));
  if (wrong === undefined) return { topics, confirm: confirm === "1" };
  throw new FreshetError("usage", "a topic of SNS is not named by its ARN", {
    found: JSON.stringify(wrong),
    expected: "arn:aws:sns:REGION:ACCOUNT:NAME",
    remedy: "Correct FRESHET_WEBHOOK_SNS: topics divided by commas",
  });
}

/** What a message of SNS says of itself. */
export interface SnsMessage {
  readonly type: string;
  readonly topic: string;
  /** Of a request to confirm a subscription. */
  readonly subscribeUrl?: string | undefined;
}

/** As Amazon's own validators have it: the services of the regions, those of China among them. */
const HOST = /^sns\.[a-zA-Z0-9-]{3,40}\.amazonaws\.com(\.cn)?$/;
const ANSWER_MS = 10_000;
const CERTIFICATE_BYTES = 64 * 1024;
/** One for each region, and a new one now and then. */
const CERTIFICATES_KEPT = 32;
const CONFIRMATIONS = ["SubscriptionConfirmation", "UnsubscribeConfirmation"];
const ALGORITHMS: Readonly<Record<string, string>> = { "1": "RSA-SHA1", "2": "RSA-SHA256" };

/** By url: a certificate never changes there. Those that could not be had are asked for again. */
const certificates = new Map<string, Promise<X509Certificate>>();

/**
 * Holds a message against its signature: the fields that Amazon's documentation names, in that order, signed with SHA1 or SHA256 (SignatureVersion 1, 2)
 * under a certificate that SNS itself hands out over TLS. Undefined for what is no message of SNS.
 * @throws FreshetError `source-refused` for a signature that is missing or wrong, a topic that is not trusted, or a certificate from elsewhere;
 *   `unreachable` when the certificate cannot be had now.
 */
export async function verifySns(body: Uint8Array, trust: SnsTrust, nowMs: number): Promise<SnsMessage | undefined> {
  const fields = fieldsOf(body);
  const { Type: type, TopicArn: topic, SignatureVersion = "", Signature, SigningCertURL, SubscribeURL } = fields;
  if (type === undefined || topic === undefined) return undefined;
  if (!trust.topics.includes(topic)) throw refused("this topic is not one that may announce", topic.slice(0, 200));
  const algorithm = ALGORITHMS[SignatureVersion];
  if (algorithm === undefined || Signature === undefined || SigningCertURL === undefined)
    throw refused("the message of SNS is not signed", `SignatureVersion ${JSON.stringify(SignatureVersion.slice(0, 20))}`);
  const url = amazonUrl(SigningCertURL, trust);
  if (!url.pathname.endsWith(".pem")) throw refused("the message of SNS names no certificate", url.pathname.slice(0, 200));
  const certificate = await certificateAt(url.href);
  if (Date.parse(certificate.validTo) < nowMs || Date.parse(certificate.validFrom) > nowMs)
    throw refused("the certificate of SNS is not valid now", `${certificate.validFrom} to ${certificate.validTo}`);
  const isTrue = verify(
    algorithm,
    Buffer.from(signedText(type, fields)),
    certificate.publicKey,
    Buffer.from(Signature, "base64"),
  );
  if (!isTrue) throw refused("the signature of the message of SNS is wrong", `SignatureVersion ${SignatureVersion}`);
  return { type, topic, subscribeUrl: SubscribeURL };
}

/** Answers a topic's request: from then on it announces here. @throws FreshetError `source-refused`, `unreachable`. */
export async function confirmSubscription({ subscribeUrl = "" }: SnsMessage, trust: SnsTrust): Promise<void> {
  await fetchBounded(amazonUrl(subscribeUrl, trust).href);
}

/** The members of a JSON object that are texts. */
function fieldsOf(body: Uint8Array): Readonly<Record<string, string>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(body));
  } catch {
    return {};
  }
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

function signedText(type: string, fields: Readonly<Record<string, string>>): string {
  const names = CONFIRMATIONS.includes(type)
    ? ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    : ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"];
  return names.flatMap((name) => (fields[name] === undefined ? [] : [`${name}\n${fields[name]}\n`])).join("");
}

function amazonUrl(text: string, { service }: SnsTrust): URL {
  if (URL.canParse(text)) {
    const url = new URL(text);
    const { protocol, hostname, port, username, password } = url;
    if (service !== undefined && url.href.startsWith(service)) return url;
    if (protocol === "https:" && HOST.test(hostname) && `${port}${username}${password}` === "") return url;
  }
  throw refused("the message of SNS names a place that is not SNS's", JSON.stringify(text.slice(0, 100)));
}

function certificateAt(url: string): Promise<X509Certificate> {
  let certificate = certificates.get(url);
  if (certificate === undefined) {
    certificate = fetchBounded(url).then((bytes) => {
      try {
        return new X509Certificate(bytes);
      } catch (cause) {
        throw refused("what the message of SNS names is no certificate", `${bytes.length} bytes`, cause);
      }
    });
    const [oldest] = certificates.keys();
    if (oldest !== undefined && certificates.size >= CERTIFICATES_KEPT) certificates.delete(oldest);
    certificates.set(url, certificate);
    certificate.catch(() => certificates.delete(url));
  }
  return certificate;
}

async function fetchBounded(url: string): Promise<Buffer> {
  const { host } = new URL(url);
  try {
    const response = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(ANSWER_MS) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of response.body ?? []) {
      bytes += piece.length;
      if (bytes > CERTIFICATE_BYTES) throw new Error(`more than ${CERTIFICATE_BYTES} bytes`);
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  } catch (cause) {
    const found = (cause as Error).message;
    throw new FreshetError("unreachable", "SNS does not answer", { found, uri: `https://${host}/`, cause });
  }
}

function refused(summary: string, found: string, cause?: unknown): FreshetError {
  return new FreshetError("source-refused", summary, { found, cause });
}
