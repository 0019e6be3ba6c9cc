import { z } from "zod";
import { hexOfBase64 } from "./base64-hash.ts";
import type { Told } from "./envelope.ts";

/** The resource of Google Cloud Storage's JSON API; 64-bit numbers are texts there. Objects put together of others have no md5. */
const resourceSchema = z.looseObject({
  size: z.union([z.string().regex(/^\d{1,15}$/), z.int().nonnegative()]).optional(),
  md5Hash: z.string().optional(),
  contentEncoding: z.string().optional(),
});

/**
 * What a resource promises of the object's bytes. Nothing for what is stored compressed, which may be handed out decompressed, and
 * nothing where it is no resource.
 */
export function promisesOf(resource: unknown): Pick<Told, "size" | "checksum"> {
  const parsed = resourceSchema.safeParse(resource);
  if (!parsed.success || parsed.data.contentEncoding) return {};
  const { size, md5Hash } = parsed.data;
  const md5 = md5Hash === undefined ? undefined : hexOfBase64(md5Hash, 16);
  return {
    ...(size !== undefined && { size: Number(size) }),
    ...(md5 !== undefined && { checksum: { algorithm: "md5", value: md5 } }),
  };
}
