import { z } from "zod";
import type { Reading } from "./envelope.ts";
import { type Entry, entryOf, type FormReader, issueOf, malformed, type ReadInner, readingOf } from "./outcome.ts";
import { placeOfUri } from "./place.ts";
import { entryOfEvent } from "./pubsub.ts";
import { quote } from "./quote.ts";

/** Attributes of an event in binary mode begin so: in HTTP, in AMQP, and in AMQP by brokers that allow no colon. */
const BINARY_PREFIXES = ["ce-", "cloudEvents:", "cloudEvents_"];

const GOOGLE = "google.cloud.storage.object.v1.";
const GOOGLE_EVENTS: Readonly<Record<string, string>> = {
  finalized: "OBJECT_FINALIZE",
  deleted: "OBJECT_DELETE",
  archived: "OBJECT_ARCHIVE",
  metadataUpdated: "OBJECT_METADATA_UPDATE",
};
const googleSchema = z.looseObject({ bucket: z.string(), name: z.string(), overwrittenByGeneration: z.unknown().optional() });

const AZURE = "Microsoft.Storage.";
const azureSchema = z.looseObject({ url: z.string(), contentLength: z.int().nonnegative().optional() });

/** An event in structured mode: the body is `{"specversion", "type", …, "data" or "data_base64"}`. */
export const readCloudEvent: FormReader = ({ value, attributes }, readInner) => {
  if (typeof value.specversion !== "string") return undefined;
  if (typeof value.type !== "string") return malformed("a CloudEvent without a type", "a type");
  const { data, data_base64: encoded } = value;
  const content = typeof encoded === "string" ? Buffer.from(encoded, "base64") : data;
  return readData(value.type, content, attributes, readInner);
};

/** An event in binary mode: its attributes are headers, the body is its data. Undefined when there are no such headers. */
export const readBinaryCloudEvent: FormReader = ({ value, attributes }, readInner) => {
  const prefix = BINARY_PREFIXES.find((candidate) => Object.hasOwn(attributes, `${candidate}specversion`));
  if (prefix === undefined) return undefined;
  const type = attributes[`${prefix}type`];
  if (type === undefined) return malformed("a CloudEvent without a type", `the header ${prefix}type`);
  const others = Object.entries(attributes).filter(([name]) => !name.startsWith(prefix));
  return readData(type, value, Object.fromEntries(others), readInner);
};

/** Events of stores that speak CloudEvents themselves are known by their type; any other event is an envelope of its data. */
function readData(type: string, data: unknown, attributes: Readonly<Record<string, string>>, readInner: ReadInner): Reading {
  if (type.startsWith(GOOGLE)) return readingOf("cloudevent", [entryOfGoogle(type.slice(GOOGLE.length), data)]);
  if (type.startsWith(AZURE)) return readingOf("cloudevent", [entryOfAzure(type.slice(AZURE.length), data)]);
  if (data === undefined || data === null) return malformed(`a CloudEvent of the type ${quote(type)} without data`, "data");
  if (typeof data === "string" || data instanceof Uint8Array || typeof data === "object") return readInner(data, attributes);
  return malformed(`a CloudEvent whose data are a ${typeof data}`, "an object or a text");
}

function entryOfGoogle(event: string, data: unknown): Entry {
  const parsed = googleSchema.safeParse(data);
  if (!parsed.success) return { passedOver: `an event of Google Cloud Storage with ${issueOf(parsed.error)}`, faulty: true };
  const { bucket, name, overwrittenByGeneration } = parsed.data;
  const eventType = Object.hasOwn(GOOGLE_EVENTS, event) ? (GOOGLE_EVENTS[event] as string) : event;
  return entryOfEvent(eventType, overwrittenByGeneration !== undefined, { bucket, name, resource: data });
}

function entryOfAzure(event: string, data: unknown): Entry {
  if (event !== "BlobCreated" && event !== "BlobDeleted") {
    return { passedOver: `an event ${quote(event)}, which neither makes nor removes a blob` };
  }
  const parsed = azureSchema.safeParse(data);
  if (!parsed.success) return { passedOver: `an event of Azure with ${issueOf(parsed.error)}`, faulty: true };
  const { url, contentLength } = parsed.data;
  return entryOf(placeOfUri(url), event === "BlobDeleted" ? { removed: true } : { size: contentLength });
}
