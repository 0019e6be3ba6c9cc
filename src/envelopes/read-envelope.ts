import { readBatch } from "./batch.ts";
import { readBinaryCloudEvent, readCloudEvent } from "./cloudevent.ts";
import { readCmr } from "./cmr.ts";
import type { Message, Reading } from "./envelope.ts";
import { readEventBridge } from "./eventbridge.ts";
import { type FlatRule, readFlat } from "./flat.ts";
import { readFreshet } from "./freshet.ts";
import { MAX_BYTES, MAX_NESTING } from "./limits.ts";
import { type FormReader, malformed, type ReadInner } from "./outcome.ts";
import { readPubSub, readPubSubPush } from "./pubsub.ts";
import { quote } from "./quote.ts";
import { readS3Event } from "./s3-event.ts";
import { readSarraceniaV02 } from "./sarracenia-v02.ts";
import { readSarraceniaV03 } from "./sarracenia-v03.ts";
import { readSns } from "./sns.ts";

export interface EnvelopeOptions {
  /** Messages of no known form are taken for flat metadata, and read by these rules; see `readFlat`. Without any they are malformed. */
  readonly flat?: readonly FlatRule[] | undefined;
}

/** In the order in which they are asked: by attributes, then by the fields of the body, the most telling first. */
const FORMS: readonly FormReader[] = [
  readBinaryCloudEvent,
  readPubSub,
  readSns,
  readEventBridge,
  readCloudEvent,
  readPubSubPush,
  readS3Event,
  readCmr,
  readSarraceniaV03,
  readFreshet,
];

const EXPECTED = "an announcement in JSON, or a line of Sarracenia";

/**
 * What a message says of granules, whatever form it has; the form is found by its content, and of envelopes in each other the
 * innermost is named. Never throws. Bounded: 256 KiB, 1 000 records, four envelopes in each other, uris of 4 096 characters. Every
 * uri told is an absolute one in its normal form, without credentials, query or fragment, and does not leave its folder; which
 * places may be read is for the source to say.
 */
export function readEnvelope({ body, attributes = {} }: Message, options: EnvelopeOptions = {}): Reading {
  const bytes = typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
  if (bytes > MAX_BYTES) return malformed(`a message of ${bytes} bytes`, `at most ${MAX_BYTES}`);
  return read(body, attributes, options, 1);
}

function read(
  body: Message["body"] | object,
  attributes: Readonly<Record<string, string>>,
  options: EnvelopeOptions,
  nesting: number,
): Reading {
  if (nesting > MAX_NESTING) return malformed("envelopes in each other without an end", `at most ${MAX_NESTING}`);
  let value: unknown = body;
  if (typeof body === "string" || body instanceof Uint8Array) {
    const text = textOf(body);
    if (text === undefined) return malformed("bytes that are not UTF-8", EXPECTED);
    const line = readSarraceniaV02(text, attributes);
    if (line !== undefined) return line;
    value = jsonOf(text);
    if (typeof value !== "object" || value === null) return malformed(quote(text), EXPECTED);
  }
  const readInner: ReadInner = (inner, innerAttributes) => read(inner, innerAttributes, options, nesting + 1);
  if (Array.isArray(value)) return readBatch(value, (event) => readInner(event, attributes));
  const fields = value as Readonly<Record<string, unknown>>;
  for (const form of FORMS) {
    const reading = form({ value: fields, attributes }, readInner);
    if (reading !== undefined) return reading;
  }
  if (options.flat !== undefined && options.flat.length > 0) return readFlat(fields, options.flat);
  if (Object.keys(fields).length === 0) return malformed("an empty message", EXPECTED);
  return malformed(`an object with the fields ${quote(Object.keys(fields).slice(0, 8).join(", "))}`, EXPECTED);
}

function textOf(body: string | Uint8Array): string | undefined {
  if (typeof body === "string") return body;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return undefined;
  }
}

/** A notification by attributes has no body; its fields are none. Undefined for what is no JSON. */
function jsonOf(text: string): unknown {
  if (text === "") return {};
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
