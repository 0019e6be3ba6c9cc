import { z } from "zod";
import { entryOf, type FormReader, issueOf, malformed, readingOf } from "./outcome.ts";
import { placeOfUri } from "./place.ts";

/** As CMR's ingest subscriptions write it; `producer-granule-id` and `revision-id` are not always there. */
const notificationSchema = z.looseObject({ "concept-id": z.string(), "granule-ur": z.string(), location: z.string() });

/**
 * A notification of an ingest subscription of CMR. It names no file: the uri told is that of the granule's metadata record
 * (`…/search/concepts/G…-PROVIDER/REVISION`), in which the files stand. The attribute `mode` says New, Update or Delete.
 */
export const readCmr: FormReader = ({ value, attributes }) => {
  if (value["concept-id"] === undefined || value["granule-ur"] === undefined) return undefined;
  const parsed = notificationSchema.safeParse(value);
  if (!parsed.success) return malformed(issueOf(parsed.error), "a notification of CMR");
  const place = placeOfUri(parsed.data.location);
  return readingOf("cmr", [entryOf(place, attributes.mode === "Delete" ? { removed: true } : {})]);
};
