import type { SnapshotInfo } from "@earthmover/icechunk";
import { FreshetError } from "../../errors/index.ts";

/** A version as its commit tells. */
export interface StoreVersion {
  readonly id: string;
  /** The version before it, expired or not; for the first one the empty snapshot that a repository begins with. */
  readonly parent: string | undefined;
  /** Milliseconds since 1970. */
  readonly writtenMs: number;
  readonly message: string;
  /** Upkeep has removed what only this version used: it cannot be opened any more. */
  readonly expired: boolean;
}

const PART = /^part \d+ of a publication: /;

/** The message of a commit that holds only a part of a publication; such a commit is no version. @param part from 1. */
export function partMessage(part: number, message: string): string {
  return `part ${part} of a publication: ${message}`;
}

/** True for a message that `partMessage` made. */
export function isPartMessage(message: string): boolean {
  return PART.test(message);
}

/** @throws FreshetError `usage` for the message of a version that reads like a part's. */
export function requireVersionMessage(message: string): void {
  if (!isPartMessage(message)) return;
  throw new FreshetError("usage", "a version's message reads as if it were a part of one", { found: message.slice(0, 80) });
}

/**
 * The versions among a snapshot and those before it, youngest first: neither parts of publications nor the empty snapshot that a
 * repository begins with.
 * @param isThere whether the snapshot's file is there.
 */
export function* versionsAmong(
  ancestry: readonly SnapshotInfo[],
  isThere: (id: string) => boolean,
): Generator<StoreVersion, void, undefined> {
  const whole = ancestry.filter(({ message }) => !isPartMessage(message));
  for (const [at, { id, parentId, writtenAt, message }] of whole.entries()) {
    if (parentId === undefined || parentId === null) return;
    yield { id, parent: whole[at + 1]?.id, writtenMs: Date.parse(writtenAt), message, expired: !isThere(id) };
  }
}
