import { isFreshetError } from "../../errors/index.ts";

/** One thing that Freshet needs, looked at. */
export interface Finding {
  readonly part: string;
  readonly ok: boolean;
  /** What was found. */
  readonly found: string;
  /** What to do, or, where it is ok, what to know; empty when all is well. */
  readonly remedy: string;
}

/** What a look answers when all is well: what was found, perhaps with something to know. */
export type Found = string | { readonly found: string; readonly note: string };

/** A part, and the look at it, which throws where something is wrong. `remedy` is for errors that bring none. */
export interface Check {
  readonly part: string;
  readonly remedy: string;
  readonly look: () => Promise<Found>;
}

/** Looks at a part. Never throws. */
export async function examine({ part, remedy, look }: Check): Promise<Finding> {
  try {
    const answer = await look();
    return typeof answer === "string"
      ? { part, ok: true, found: answer, remedy: "" }
      : { part, ok: true, found: answer.found, remedy: answer.note };
  } catch (error) {
    return { part, ok: false, ...told(error, remedy) };
  }
}

/** What an error says, in one line, and what to do about it. */
function told(error: unknown, remedy: string): Pick<Finding, "found" | "remedy"> {
  const message = error instanceof Error ? error.message : String(error);
  const ours = isFreshetError(error) ? error.facts.remedy : undefined;
  const found = ours === undefined ? message : message.slice(0, message.length - ours.length).replace(/\.\s*$/, "");
  return { found: found.trim().split(/\s*\n\s*/)[0] ?? "", remedy: ours ?? remedy };
}
