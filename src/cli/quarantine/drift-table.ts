/** One disagreement of a granule with its dataset, as the reason tells it. */
export interface ToldDrift {
  /** The array; "" for the granule as a whole. */
  readonly path: string;
  readonly fact: string;
  readonly found: string;
  readonly expected: string;
}

export interface ToldDrifts {
  readonly drifts: readonly ToldDrift[];
  /** What stands before, behind and between them: `and 3 more`, whose form the dataset has. */
  readonly rest: readonly string[];
}

const BEGINNING = "the granule does not fit the dataset: found ";
/** Where one disagreement ends and the next, or the count of those that are left out, begins. */
const BETWEEN = /; (?=\/\S* [^;]*: found |(?:dimension|steps): found |and \d+ more)/;
const DRIFT = /^(?:(\/\S*) )?([^:]+): found (.*), expected (.*)$/s;

/** Takes the reason of a granule that does not fit apart; undefined for any other reason. */
export function readDrifts(reason: string): ToldDrifts | undefined {
  if (!reason.startsWith(BEGINNING)) return undefined;
  const drifts: ToldDrift[] = [];
  const rest: string[] = [];
  const end = reason.lastIndexOf(". The dataset's form is ");
  const told = reason.slice(BEGINNING.length, end < 0 ? undefined : end);
  for (const part of told.split(BETWEEN)) {
    const [, path = "", fact, found, expected] = DRIFT.exec(part) ?? [];
    if (fact === undefined || found === undefined || expected === undefined) rest.push(part);
    else drifts.push({ path, fact, found, expected });
  }
  if (end >= 0) rest.push(reason.slice(end + 2));
  return drifts.length === 0 ? undefined : { drifts, rest };
}
