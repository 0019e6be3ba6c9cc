import { z } from "zod";
import { FreshetError } from "../../errors/index.ts";

export const POINTER = "pointer.json";

const pointerSchema = z.strictObject({
  format: z.literal(1),
  form: z.string(),
  dataset: z.string(),
  product: z.string(),
  /** The publication that is shown, and its version in the store. */
  sequence: z.int().positive(),
  version: z.string(),
  /** What is to be opened, in the pointer's folder. */
  path: z.string().regex(/^[^/\\.][^/\\]*$/),
  /** How the form was asked for: another way makes another content. */
  settings: z.string(),
  /** Milliseconds since 1970. */
  writtenMs: z.number(),
  references: z.int(),
  inlined: z.int(),
  /** Arrays that the form cannot hold, and why. */
  refused: z.record(z.string(), z.string()),
});

/** Which version a form shows: the content of `pointer.json`. */
export type FormPointer = z.infer<typeof pointerSchema>;

/** @param uri where it is. @throws FreshetError `corrupt` for one that is not ours. */
export function readPointer(bytes: Uint8Array, uri: string): FormPointer {
  const text = Buffer.from(bytes).toString();
  try {
    return pointerSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new FreshetError("corrupt", "the pointer of a form cannot be read", {
      found: text.slice(0, 80),
      uri,
      remedy: "Give the form a folder of its own, or move that one away",
      cause,
    });
  }
}

export function pointerText(pointer: FormPointer): Uint8Array {
  return Buffer.from(`${JSON.stringify(pointer, undefined, 2)}\n`);
}
