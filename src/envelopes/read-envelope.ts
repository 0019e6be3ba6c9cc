import type { Message, Reading } from "./envelope.ts";
import { readEventBridge } from "./eventbridge.ts";
import { readFreshet } from "./freshet.ts";
import { MAX_BYTES, MAX_NESTING } from "./limits.ts";
import { type FormReader, malformed } from "./outcome.ts";
import { quote } from "./quote.ts";
import { readS3Event } from "./s3-event.ts";
import { readSarraceniaV02 } from "./sarracenia-v02.ts";
import { readSarraceniaV03 } from "./sarracenia-v03.ts";
import { readSns } from "./sns.ts";

export interface EnvelopeOptions {
  /**
   * Messages that are flat JSON metadata are read by this template: names of fields in braces, such as `s3://{bucket}/{key}`.
   * Fields are names as the store knows them; they are encoded.
   */
  readonly flat?: { readonly uri: string } | undefined;
}

/** The forms whose body is a JSON object, asked in this order: those with the most telling fields first. */
const FORMS: readonly FormReader[] = [readSns, readEventBridge, readS3Event, readSarraceniaV03, readFreshet];

/**
 * What a message says of granules, whatever form it has; the form is found by its content. Never throws. Bounded: 256 KiB, 1 000
 * records, four envelopes in each other, uris of 4 096 characters. Every uri told is an absolute one in its normal form, without
 * credentials, query or fragment, and does not leave its folder; which places may be read is for the source to say.
 */
export function readEnvelope(message: Message, options: EnvelopeOptions = {}): Reading {
  return read(message, options, 1);
}

function read(message: Message, options: EnvelopeOptions, nesting: number): Reading {
  if (nesting > MAX_NESTING) return malformed("envelopes in each other without an end", `at most ${MAX_NESTING}`);
  const { body, attributes = {} } = message;
  const bytes = typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
  if (bytes > MAX_BYTES) return malformed(`a message of ${bytes} bytes`, `at most ${MAX_BYTES}`);
  const text = textOf(body);
  if (text === undefined) return malformed("bytes that are not UTF-8", "JSON, or a line of Sarracenia");
  const readInner = (inner: Message): Reading => read(inner, options, nesting + 1);

  const line = readSarraceniaV02(text, message);
  if (line !== undefined) return line;
  const value = objectOf(text);
  if (value === undefined) return malformed(quote(text), "a JSON object, or a line of Sarracenia");
  for (const form of FORMS) {
    const reading = form({ value, attributes }, readInner);
    if (reading !== undefined) return reading;
  }
  const fields = Object.keys(value).slice(0, 8).join(", ");
  return malformed(`an object with the fields ${quote(fields)}`, "one of the known forms");
}

function textOf(body: string | Uint8Array): string | undefined {
  if (typeof body === "string") return body;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return undefined;
  }
}

function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
