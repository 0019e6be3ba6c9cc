import type { IncomingHttpHeaders } from "node:http";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { readEnvelope } from "../envelopes/index.ts";
import { FreshetError, isFreshetError } from "../errors/index.ts";
import { reached } from "../steps/index.ts";
import { withoutDeletedRecords } from "./announce-record.ts";
import type { Announcer } from "./announcer.ts";
import { accessByHeaders, checkSecrets, currentSecrets, isSignedBy, type Secrets, whatIsNeeded } from "./webhook/access.ts";
import { announceTold } from "./webhook/announce-told.ts";
import { type Answer, Answers } from "./webhook/answers.ts";
import { confirmSubscription, type SnsTrust, verifySns } from "./webhook/sns-signature.ts";

/** What SNS may send at most, and what is read of a message at most. */
const BODY_BYTES = 256 * 1024;
const CONTENT_TYPES = /^(application\/json|application\/[a-z0-9.+-]{1,100}\+json|text\/plain)(\s*;|$)/i;
/** SNS posts its JSON as text, with this header. Text without it would be taken from any web page that a browser here has open. */
const SNS_HEADER = "x-amz-sns-message-type";
const KEY_CHARACTERS = 255;
/** Addresses that only this machine reaches. */
const LOOPBACK = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1|localhost)$/;

export interface WebhookOptions extends Secrets {
  readonly announcer: Announcer;
  /** Default 127.0.0.1: open it to others only behind a token or a signature. */
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Whose signed messages of SNS are taken, without a token. Undefined: those of SNS are as all others. */
  readonly sns?: SnsTrust | undefined;
}

export interface RunningWebhook {
  /** Where announcements are posted to. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * `POST /announce` with an announcement in any of the forms that `readEnvelope` knows; CloudEvents also with their attributes in
 * `ce-` headers. 202 when Temporal holds all of it, with the `granules`, the `uris` one by one, and what was `passedOver`; 400 for
 * another body (413 for a large one, 415 for one that is neither JSON nor SNS's text), 401 without token or signature (that of SNS, where its topics are trusted), 503 when Temporal
 * does not take it, in which case the sender must try again. Under an `Idempotency-Key` the same request has the same answer for
 * ten minutes, and another one 422.
 * @throws FreshetError `usage` when the port is taken, a secret is empty or not there, or there is none and others than this machine could announce; `unreachable` when who keeps it does not answer.
 */
export async function startWebhook(options: WebhookOptions): Promise<RunningWebhook> {
  checkSecrets(options);
  const { host = "127.0.0.1", port } = options;
  if (!isProtected(options) && !LOOPBACK.test(host)) throw openToAll(host);
  await currentSecrets(options);
  const server = fastify({ bodyLimit: BODY_BYTES });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(CONTENT_TYPES, { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  addRoutes(server, options);
  try {
    const url = await server.listen({ host, port });
    const close = async (): Promise<void> => {
      await server.close();
      await options.announcer.book.write();
    };
    return { url: `${url}/announce`, close };
  } catch (cause) {
    throw new FreshetError("usage", "the webhook cannot listen", {
      found: (cause as Error).message,
      uri: `${host}:${port}`,
      remedy: "Choose another port (--webhook; 0 takes any free one)",
      cause,
    });
  }
}

function isProtected({ token, hmac, sns }: WebhookOptions): boolean {
  return token !== undefined || hmac !== undefined || sns !== undefined;
}

function openToAll(host: string): FreshetError {
  return new FreshetError("usage", "the webhook would let everybody in", {
    found: `host ${host} without a token`,
    remedy: "Set FRESHET_WEBHOOK_TOKEN, FRESHET_WEBHOOK_HMAC or FRESHET_WEBHOOK_SNS, or listen on 127.0.0.1",
  });
}

function addRoutes(server: FastifyInstance, options: WebhookOptions): void {
  const { announcer } = options;
  const answers = new Answers();
  // A secret that cannot be had now: nobody is let in, and whoever asks is to come again.
  server.setErrorHandler((error, _request, reply) => {
    if (!isFreshetError(error)) return reply.send(error);
    return reply.code(503).header("retry-after", "5").send({ error: error.message });
  });
  server.get("/healthz", async () => ({ ok: true }));

  const refuse = (reply: FastifyReply) => reply.code(401).send({ error: whatIsNeeded(options) });
  // Before the body is read: who has no secret learns nothing and costs nothing.
  const onRequest = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { headers } = request;
    const isForSns = options.sns !== undefined && headers[SNS_HEADER] !== undefined;
    if (!isForSns && (await accessOf(headers, options)) === "refused") await refuse(reply);
    else if (/^text\//i.test(headers["content-type"] ?? "") && headers[SNS_HEADER] === undefined) {
      await reply.code(415).send({ error: `text without the header ${SNS_HEADER}; expected application/json` });
    }
  };
  server.post("/announce", { onRequest }, async (request, reply) => {
    const { headers } = request;
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
    const current = await currentSecrets(options);
    const access = await accessOf(headers, options);
    const isProven =
      access === "granted" || (access === "body" && isSignedBy(current.hmac ?? "", body, headers["x-hub-signature-256"]));
    if (options.sns !== undefined) {
      const message = await verifySns(body, options.sns, Date.now()).catch((error: unknown) => {
        if (isFreshetError(error, "source-refused")) return error;
        throw error;
      });
      if (message instanceof FreshetError) return reply.code(401).send({ error: message.message });
      if (message === undefined && !isProven) return refuse(reply);
      if (message?.type === "SubscriptionConfirmation" && options.sns.confirm) {
        await confirmSubscription(message, options.sns);
        return reply
          .code(202)
          .send({ granules: [], uris: [], passedOver: [`the subscription to ${message.topic} is confirmed`] });
      }
    } else if (!isProven) return refuse(reply);

    const attributes = cloudEventAttributes(headers);
    const make = (): Promise<Answer> => answer(announcer, body, attributes);
    const key = headers["idempotency-key"];
    if (typeof key === "string" && (key === "" || key.length > KEY_CHARACTERS)) {
      return reply.code(400).send({ error: `an Idempotency-Key of ${key.length} characters; expected 1 to ${KEY_CHARACTERS}` });
    }
    const said = [JSON.stringify(attributes), body];
    const answered = typeof key === "string" ? await answers.once(key, said, make) : await make();
    if (answered === "other") return reply.code(422).send({ error: "this Idempotency-Key was used for another announcement" });
    if (answered.status === 503) reply.header("retry-after", "5");
    return reply.code(answered.status).send(answered.body);
  });
}

/** Where SNS alone may announce without a token, nobody else may without any. */
async function accessOf(headers: IncomingHttpHeaders, options: WebhookOptions): Promise<ReturnType<typeof accessByHeaders>> {
  const current = await currentSecrets(options);
  if (options.sns !== undefined && current.token === undefined && current.hmac === undefined) return "refused";
  return accessByHeaders(headers, current);
}

async function answer(announcer: Announcer, body: Uint8Array, attributes: Readonly<Record<string, string>>): Promise<Answer> {
  try {
    const reading = readEnvelope({ body, attributes }, { flat: await announcer.messageRules(() => true) });
    if (reading.kind === "malformed") {
      announcer.book.count("none", "webhook", "malformed");
      return { status: 400, body: { error: reading.reason } };
    }
    const present = withoutDeletedRecords(reading.told);
    const uris = await announceTold(announcer, present.told, Date.now());
    const passedOver = [...reading.passedOver, ...present.passedOver];
    if (passedOver.length > 0) announcer.book.count("none", "webhook", "passedOver", passedOver.length);
    reached("announce: held");
    return { status: 202, body: { granules: uris.flatMap(({ granules }) => granules), uris, passedOver } };
  } catch (error) {
    // A record that CMR does not have, or not for us: to send it again would change nothing.
    if (isFreshetError(error, "source-missing", "source-refused")) return { status: 400, body: { error: error.message } };
    return { status: 503, body: { error: `not taken: ${(error as Error).message}` } };
  }
}

/** The attributes of a CloudEvent in binary mode. */
function cloudEventAttributes(headers: IncomingHttpHeaders): Record<string, string> {
  const attributes = Object.entries(headers).filter(
    (header): header is [string, string] => header[0].startsWith("ce-") && typeof header[1] === "string",
  );
  return Object.fromEntries(attributes.sort(([a], [b]) => (a < b ? -1 : 1)));
}
