import { createHash } from "node:crypto";
import type { Repository } from "@earthmover/icechunk";

/** Branches whose names begin so are ours, and are no one's way to data: they hold a publication that comes in parts together. */
const PREFIX = "freshet-candidate-";

/** The branch on which this publication's parts are put together. */
export function candidateBranch(parent: string, message: string): string {
  return PREFIX + createHash("sha256").update(`${parent}\n${message}`).digest("hex").slice(0, 20);
}

/** True for a branch that `candidateBranch` named. */
export function isCandidateBranch(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** Removes a branch of ours; that it is gone already is no error. */
export async function removeCandidateBranch(repository: Repository, name: string): Promise<void> {
  if (!isCandidateBranch(name)) throw new RangeError(`${name} is not a candidate branch`);
  try {
    await repository.deleteBranch(name);
  } catch (error) {
    if (!/^(ref|branch) not found/.test((error as Error).message)) throw error;
  }
}
