import { z } from "zod";
import { promisesOf } from "./gcs-object.ts";
import { type Entry, entryOf, type FormReader, issueOf, malformed, readingOf } from "./outcome.ts";
import { placeOfObject } from "./place.ts";
import { quote } from "./quote.ts";

const pushSchema = z.looseObject({
  message: z.looseObject({ attributes: z.record(z.string(), z.string()).optional(), data: z.string().optional() }),
});

/** The body of a push: `{"message": {"attributes", "data" in base64}, "subscription"}`. It is opened and read again. */
export const readPubSubPush: FormReader = ({ value, attributes }, readInner) => {
  if (typeof value.message !== "object" || typeof value.subscription !== "string") return undefined;
  const parsed = pushSchema.safeParse(value);
  if (!parsed.success) return malformed(issueOf(parsed.error), "a push of Pub/Sub");
  const { attributes: inner = {}, data = "" } = parsed.data.message;
  return readInner(Buffer.from(data, "base64"), { ...attributes, ...inner });
};

/**
 * A notification of Google Cloud Storage: what happened stands in the attributes, and the body, where there is one, is the
 * object's resource. Undefined where the attributes are of something else.
 */
export const readPubSub: FormReader = ({ value, attributes }) => {
  const { bucketId, objectId, eventType } = attributes;
  if (bucketId === undefined || objectId === undefined || eventType === undefined) return undefined;
  const replaced = attributes.overwrittenByGeneration !== undefined;
  return readingOf("pubsub", [entryOfEvent(eventType, replaced, { bucket: bucketId, name: objectId, resource: value })]);
};

/** An event of an object, by the names of `OBJECT_…`. What was overwritten is not gone: its successor has an event of its own. */
export function entryOfEvent(
  eventType: string,
  replaced: boolean,
  object: { readonly bucket: string; readonly name: string; readonly resource: unknown },
): Entry {
  const place = placeOfObject("gs", object.bucket, object.name);
  switch (eventType) {
    case "OBJECT_FINALIZE":
      return entryOf(place, promisesOf(object.resource));
    case "OBJECT_DELETE":
    case "OBJECT_ARCHIVE":
      if (replaced) return { passedOver: `an earlier generation of ${quote(object.name)}, which was overwritten` };
      return entryOf(place, { removed: true });
    default:
      return { passedOver: `an event ${quote(eventType)}, which neither makes nor removes an object` };
  }
}
