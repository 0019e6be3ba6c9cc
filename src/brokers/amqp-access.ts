import type { AmqpDelivery } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import { Redaction, secrets } from "../secrets/index.ts";

/** How public brokers of weather services let everybody in. */
const ANONYMOUS = "anonymous";

/** A broker, and who we are there. */
export interface AmqpAccess {
  readonly protocol: "amqp" | "amqps";
  readonly hostname: string;
  readonly port: number;
  readonly vhost: string;
  readonly user: string;
  readonly password: string;
  /** As the dataset file has it: may be shown. */
  readonly shown: string;
  readonly redaction: Redaction;
}

/**
 * Where a delivery's broker is; nothing is sent. A user and a password that stand in the URL of a secret are taken, where the source
 * names none.
 * @throws FreshetError `usage` when a secret is not set, or is no URL; `unreachable` when who keeps it does not answer.
 */
export async function amqpAccess(delivery: Pick<AmqpDelivery, "broker" | "user" | "password">): Promise<AmqpAccess> {
  const text = await secrets.textOf(delivery.broker);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["amqp:", "amqps:"].includes(url.protocol) || url.hostname === "") {
    throw new FreshetError("usage", "the broker's URL is not one", {
      found: "a text that is not shown",
      expected: "amqps://HOST/",
      path: `amqp.broker: ${delivery.broker}`,
      remedy: "Correct the secret",
    });
  }
  const protocol = url.protocol === "amqps:" ? "amqps" : "amqp";
  const user = delivery.user === undefined ? decodeURIComponent(url.username) || ANONYMOUS : await secrets.textOf(delivery.user);
  const given = delivery.password === undefined ? decodeURIComponent(url.password) : await secrets.textOf(delivery.password);
  const password = given || (user === ANONYMOUS ? ANONYMOUS : "");
  const isHidden = delivery.broker.startsWith("${");
  return {
    protocol,
    hostname: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(url.port) || (protocol === "amqps" ? 5671 : 5672),
    vhost: decodeURIComponent(url.pathname.replace(/^\//, "")) || "/",
    user,
    password,
    shown: delivery.broker,
    redaction: new Redaction([
      ...(password === ANONYMOUS ? [] : [password]),
      ...(delivery.user === undefined ? [] : [user]),
      ...(isHidden ? [text, url.host, url.hostname] : []),
    ]),
  };
}

/** AMQP's reply codes: what the broker refuses for good. */
const ACCESS_REFUSED = 403;
const NOT_FOUND = 404;
const NOT_ALLOWED = 530;

/** The error to show when the broker refuses for good; undefined when it is worth while to ask again. */
export function amqpRefusal(
  error: unknown,
  { shown, redaction }: Pick<AmqpAccess, "shown" | "redaction">,
): FreshetError | undefined {
  const refusal = (summary: string, remedy: string): FreshetError =>
    new FreshetError("source-refused", summary, { found: redaction.of(error), uri: shown, remedy });
  const message = error instanceof Error ? error.message : "";
  const handshake = /Handshake terminated by server: (\d{3})/.exec(message)?.[1];
  if (handshake === `${ACCESS_REFUSED}`) {
    return refusal("the broker does not let us in", "Correct `amqp.user` and `amqp.password`, or the secrets that they name");
  }
  const noHost = (): FreshetError =>
    refusal("the broker does not have that virtual host, or not for us", "Correct the path of `amqp.broker`");
  // The library tells no code of a connection that the broker closes in answer to its opening.
  if (/Expected ConnectionOpenOk; got <ConnectionClose/.test(message)) return noHost();
  switch (codeOf(error)) {
    case ACCESS_REFUSED:
      return refusal(
        "the broker refuses us the queue",
        "Allow this user to configure, read and write its queue and to read the exchange, or name a queue that it may use: `amqp.queue`",
      );
    case NOT_FOUND:
      return refusal("the broker does not have it", "Correct `amqp.exchange` in the dataset file and apply it");
    case NOT_ALLOWED:
      return noHost();
    default:
      return undefined;
  }
}

/** The reply code of a channel or a connection that the broker closed. */
export function codeOf(error: unknown): number | undefined {
  const { code, message } = error as { code?: unknown; message?: string };
  if (typeof code === "number") return code;
  const quoted = /(?:closed by server|terminated by server)[^0-9]*(\d{3})/i.exec(message ?? "")?.[1];
  return quoted === undefined ? undefined : Number(quoted);
}
