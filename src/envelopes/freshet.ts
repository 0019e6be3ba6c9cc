import { z } from "zod";
import { MAX_URI_CHARACTERS } from "./limits.ts";
import { entryOf, type FormReader, issueOf, malformed, readingOf } from "./outcome.ts";
import { placeOfUri } from "./place.ts";

const announcementSchema = z.strictObject({
  uri: z.string().min(1).max(MAX_URI_CHARACTERS),
  size: z.int().nonnegative().optional(),
  checksum: z
    .strictObject({ algorithm: z.enum(["md5", "sha256", "sha512"]), value: z.string().regex(/^[0-9a-fA-F]{32,128}$/) })
    .optional(),
  removed: z.literal(true).optional(),
});

/** Our own form: `{"uri", "size"?, "checksum"?, "removed"?}` and nothing else, so that a wrong word is heard of. */
export const readFreshet: FormReader = ({ value }) => {
  if (value.uri === undefined) return undefined;
  const parsed = announcementSchema.safeParse(value);
  if (!parsed.success) return malformed(issueOf(parsed.error), "uri, and perhaps size, checksum and removed");
  const { uri, ...facts } = parsed.data;
  return readingOf("freshet", [entryOf(placeOfUri(uri), facts)]);
};
