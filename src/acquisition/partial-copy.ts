import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { isSameState, type SourceIdentity } from "../storage/index.ts";

/** A copy that was not finished: what the next attempt goes on with. It travels through Temporal, and is small. */
export interface PartialCopy {
  /** Its file, in the mirror's folder of parts. */
  readonly name: string;
  /** Bytes from the beginning that are on the disk. */
  readonly bytes: number;
  /** Of what state of the source they are. */
  readonly identity: SourceIdentity;
}

const NAME = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What an earlier attempt has said of its copy; undefined for anything else. */
export function partialCopyOf(told: unknown): PartialCopy | undefined {
  if (typeof told !== "object" || told === null) return undefined;
  const { name, bytes, identity } = told as Partial<PartialCopy>;
  const isOne = typeof name === "string" && NAME.test(name) && Number.isSafeInteger(bytes) && typeof identity === "object";
  return isOne ? (told as PartialCopy) : undefined;
}

/** The file of a partial copy of this state of the source, where it is still there: the attempt before may have run on another machine. */
export async function usablePart(
  parts: string,
  earlier: PartialCopy | undefined,
  identity: SourceIdentity,
): Promise<string | undefined> {
  if (earlier === undefined || !isSameState(earlier.identity, identity)) return undefined;
  const path = join(parts, earlier.name);
  const facts = await stat(path).catch(() => undefined);
  return facts?.isFile() === true && facts.size >= earlier.bytes && earlier.bytes > 0 ? path : undefined;
}

/**
 * What is on the disk, as pieces. It is copied, not taken over: an attempt that Temporal has given up may still be writing there.
 * @param bytes more than 0.
 */
export function piecesOfPart(path: string, bytes: number, signal: AbortSignal): AsyncIterable<Uint8Array> {
  return createReadStream(path, { end: bytes - 1, highWaterMark: 1024 * 1024, signal });
}
