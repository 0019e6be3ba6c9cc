/** Datasets that one document may stand for. */
export const MAX_COMBINATIONS = 1000;

type Choices = Readonly<Record<string, readonly (string | number)[]>>;
type Choice = Readonly<Record<string, string>>;

/** Every combination of the values, the last name varying fastest; one empty combination for no names. */
export function combinationsOf(choices: Choices): Choice[] {
  let combinations: Choice[] = [{}];
  for (const [name, values] of Object.entries(choices)) {
    combinations = combinations.flatMap((before) => values.map((value) => ({ ...before, [name]: String(value) })));
  }
  return combinations;
}

/** How many combinations there are. */
export function countCombinations(choices: Choices): number {
  return Object.values(choices).reduce((product, values) => product * values.length, 1);
}

/** The document with `{name}` replaced in every text (not in keys). Fields with a format, `{name:…}`, stay. */
export function fillIn(value: unknown, choice: Choice): unknown {
  if (typeof value === "string") {
    return value.replace(/\{([a-z][a-z0-9_]*)\}/gi, (whole, name: string) =>
      Object.hasOwn(choice, name) ? (choice[name] as string) : whole,
    );
  }
  if (Array.isArray(value)) return value.map((item) => fillIn(item, choice));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fillIn(member, choice)]));
}
