import { z } from "zod";
import { entryOf, type FormReader, issueOf, malformed, readingOf } from "./outcome.ts";
import { placeOfObject } from "./place.ts";
import { quote } from "./quote.ts";

const detailSchema = z.looseObject({
  bucket: z.looseObject({ name: z.string() }),
  object: z.looseObject({ key: z.string(), size: z.int().nonnegative().optional() }),
});

/** An event of S3 by EventBridge. Its keys, unlike those of S3's own events, are not encoded. */
export const readEventBridge: FormReader = ({ value }) => {
  const { "detail-type": detailType, source, detail } = value;
  if (typeof detailType !== "string" || typeof source !== "string") return undefined;
  if (source !== "aws.s3") return readingOf("eventbridge", [{ passedOver: `an event of ${quote(source)}, not of aws.s3` }]);
  if (detailType !== "Object Created" && detailType !== "Object Deleted") {
    return readingOf("eventbridge", [{ passedOver: `an event ${quote(detailType)}, which neither makes nor removes an object` }]);
  }
  const parsed = detailSchema.safeParse(detail);
  if (!parsed.success) return malformed(`a detail with ${issueOf(parsed.error)}`, "bucket.name and object.key");
  const { bucket, object } = parsed.data;
  const facts = detailType === "Object Deleted" ? { removed: true as const } : { size: object.size };
  return readingOf("eventbridge", [entryOf(placeOfObject("s3", bucket.name, object.key), facts)]);
};
