import type { Announcement } from "../contract/index.ts";
import type { Source } from "../dataset/index.ts";
import { FreshetError, isFreshetError } from "../errors/index.ts";

/** Where a source has what a uri names: there, and at the same path below its other prefixes, in the order of the dataset file. */
export function placesOf({ at, alternatives = [] }: Source, uri: string): string[] {
  if (alternatives.length === 0) return [uri];
  const prefixes = [at, ...alternatives];
  const prefix = prefixes.find((one) => uri.startsWith(one));
  if (prefix === undefined) return [uri];
  const path = uri.slice(prefix.length);
  return [uri, ...prefixes.filter((other) => other !== prefix).map((other) => `${other}${path}`)];
}

/**
 * Does something with the first of several places that answers. The next one is asked where a place fails for now; where it has nothing, only if
 * the announced checksum proves what the next one has: that may be an earlier state.
 * @param before the failure of a place that was asked already.
 * @throws the failure of the first place, with what the others said; one that is no failure for now as it is.
 */
export async function firstThatAnswers<Result>(
  places: readonly string[],
  { checksum }: Pick<Announcement, "checksum">,
  ask: (place: string) => Promise<Result>,
  before?: FreshetError,
): Promise<Result> {
  let first = before;
  const said: string[] = [];
  for (const place of places) {
    try {
      return await ask(place);
    } catch (error) {
      const isForNow =
        isFreshetError(error, "source-unavailable") || (checksum !== undefined && isFreshetError(error, "source-missing"));
      if (!isForNow && first === undefined) throw error;
      if (!isFreshetError(error)) throw error;
      if (first === undefined) first = error;
      else said.push(error.message);
    }
  }
  if (first === undefined || said.length === 0) throw first;
  const { kind, summary, facts } = first;
  const remedy = [facts.remedy, `Its other servers: ${said.join("; ")}`].filter((part) => part !== undefined).join(". ");
  throw new FreshetError(kind, summary, { ...facts, remedy, cause: facts.cause ?? first });
}
