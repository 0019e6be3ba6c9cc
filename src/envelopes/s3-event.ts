import { z } from "zod";
import { MAX_RECORDS } from "./limits.ts";
import { type Entry, entryOf, type FormReader, issueOf, malformed, readingOf } from "./outcome.ts";
import { placeOfObject } from "./place.ts";
import { quote } from "./quote.ts";

/** Event message structure 2.x of the S3 user guide. The etag is not taken: encrypted, it looks like an md5 and is none. */
const recordSchema = z.looseObject({
  eventName: z.string(),
  s3: z.looseObject({
    bucket: z.looseObject({ name: z.string() }),
    object: z.looseObject({ key: z.string(), size: z.int().nonnegative().optional() }),
  }),
});

/** `{"Records": [{"eventName", "s3": {bucket, object}}]}`, as S3 and what speaks like it send, and S3's test event. */
export const readS3Event: FormReader = ({ value }) => {
  if (value.Event === "s3:TestEvent") return readingOf("s3-event", [{ passedOver: "S3's test event" }]);
  if (!Array.isArray(value.Records)) return undefined;
  const { length } = value.Records;
  if (length === 0 || length > MAX_RECORDS) return malformed(`an event of ${length} records`, `1 to ${MAX_RECORDS}`);
  return readingOf("s3-event", value.Records.map(entryOfRecord));
};

function entryOfRecord(record: unknown): Entry {
  const parsed = recordSchema.safeParse(record);
  if (!parsed.success) return { passedOver: `a record with ${issueOf(parsed.error)}`, faulty: true };
  const { eventName, s3 } = parsed.data;
  const [kind] = eventName.replace(/^s3:/, "").split(":");
  const key = decodeKey(s3.object.key);
  if (key === undefined) return { passedOver: `the key ${quote(s3.object.key)} is not encoded as in a URL`, faulty: true };
  const place = placeOfObject("s3", s3.bucket.name, key);
  switch (kind) {
    case "ObjectCreated":
      return entryOf(place, { size: s3.object.size });
    case "ObjectRemoved":
    case "LifecycleExpiration":
      return entryOf(place, { removed: true });
    default:
      return { passedOver: `an event ${quote(eventName)}, which neither makes nor removes an object` };
  }
}

/** Keys are encoded like the fields of a form: a space is a plus. Undefined for what was not encoded so. */
function decodeKey(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
