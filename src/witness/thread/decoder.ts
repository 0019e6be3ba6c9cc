import { hashOfElements } from "../normal-form.ts";
import type { Answer, Wanted } from "./messages.ts";

/** An open source in the hands of a decoder. */
export interface OpenSource {
  /** @throws Error with the reason why the block cannot be read. */
  read(wanted: Wanted): Answer;
  close(): void;
}

/** The answer where a decoder sees another type or shape than is wanted; undefined where it sees the same, and may read. */
export function differenceOf(
  wanted: Wanted,
  found: { readonly type: string; readonly shape: readonly number[] },
): Answer | undefined {
  if (found.type === wanted.type && found.shape.length === wanted.shape.length) {
    if (found.shape.every((length, axis) => length === wanted.shape[axis])) return undefined;
  }
  const describe = (type: string, shape: readonly number[]): string => `${type}[${shape.join(", ")}]`;
  return { kind: "differs", found: describe(wanted.type, wanted.shape), expected: describe(found.type, found.shape) };
}

/** Elements in C order, little-endian, as they are wanted. */
export function answerOf({ as, type }: Wanted, elements: Uint8Array): Answer {
  return as === "hash" ? { kind: "hash", sha256: hashOfElements(type, elements) } : { kind: "elements", elements };
}
