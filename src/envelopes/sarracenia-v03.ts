import { z } from "zod";
import type { Told } from "./envelope.ts";
import { type Entry, entryOf, type FormReader, issueOf, malformed, readingOf } from "./outcome.ts";
import { quote } from "./quote.ts";
import { parseParts } from "./sarracenia-parts.ts";
import { placeOfFile } from "./sarracenia-path.ts";
import { checksumOfIdentity } from "./sarracenia-sum.ts";

const identitySchema = z.looseObject({ method: z.string(), value: z.unknown().optional() });

/** Something other than a file that was written. A hard link is a file like any other. */
const fileOpSchema = z.looseObject({
  remove: z.unknown().optional(),
  rename: z.string().optional(),
  link: z.unknown().optional(),
  directory: z.unknown().optional(),
});

/** Unknown fields are allowed by the specification. `content`, the file's own bytes, is not read: the file is fetched. */
const fileSchema = z.looseObject({
  baseUrl: z.string(),
  relPath: z.string(),
  retrievePath: z.string().optional(),
  retPath: z.string().optional(),
  size: z.union([z.int().nonnegative(), z.string().regex(/^\d{1,15}$/)]).optional(),
  identity: identitySchema.optional(),
  integrity: identitySchema.optional(),
  parts: z.string().optional(),
  blocks: z.unknown().optional(),
  fileOp: fileOpSchema.optional(),
});

type AnnouncedFile = z.infer<typeof fileSchema>;

/** Sarracenia's form in JSON, also with the names that it had earlier (`integrity`, `retPath`, `parts`). */
export const readSarraceniaV03: FormReader = ({ value }) => {
  if (value.baseUrl === undefined || value.relPath === undefined) return undefined;
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) return malformed(issueOf(parsed.error), "a message of Sarracenia, v03");
  return readingOf("sarracenia-v03", entriesOf(parsed.data));
};

function entriesOf(file: AnnouncedFile): Entry[] {
  const { baseUrl, relPath } = file;
  const fileOp: z.infer<typeof fileOpSchema> = file.fileOp ?? {};
  const passOver = (why: string): Entry[] => [{ passedOver: `${quote(relPath)} ${why}` }];
  if (fileOp.directory !== undefined) return passOver("is a folder");
  if (fileOp.remove !== undefined) return [entryOf(placeOfFile(baseUrl, relPath), { removed: true })];
  if (fileOp.link !== undefined) return passOver("is a symbolic link; what it points to is announced by itself");
  const parts = file.parts === undefined ? undefined : parseParts(file.parts);
  if (parts?.kind === "faulty") return [{ passedOver: `parts of ${quote(file.parts ?? "")}, not 1,bytes,1,0,0`, faulty: true }];
  if (file.blocks !== undefined || parts?.kind === "blocks") return passOver("comes in blocks, not as a file");

  const identity = file.identity ?? file.integrity;
  const facts: Omit<Told, "uri"> = {
    size: file.size === undefined ? parts?.size : Number(file.size),
    checksum: identity && checksumOfIdentity(identity),
  };
  const old: Entry[] = fileOp.rename === undefined ? [] : [entryOf(placeOfFile(baseUrl, fileOp.rename), { removed: true })];
  return [...old, entryOf(placeOfFile(baseUrl, file.retrievePath ?? file.retPath ?? relPath), facts)];
}
