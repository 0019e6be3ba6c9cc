/** One place at which two datasets differ. */
export interface Difference {
  /** `source.at`, `products[0].store`. */
  readonly path: string;
  /** As JSON; undefined where there is nothing. */
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** Where two values of plain data differ, down to single values and lists of them; in the order of the keys. */
export function differences(from: unknown, to: unknown, path = ""): Difference[] {
  if (isMapping(from) && isMapping(to))
    return members(from, to).flatMap((key) => differences(from[key], to[key], joined(path, key)));
  if (isOfMappings(from) && isOfMappings(to)) {
    const length = Math.max(from.length, to.length);
    return Array.from({ length }, (_, index) => differences(from[index], to[index], `${path}[${index}]`)).flat();
  }
  const [before, after] = [JSON.stringify(from), JSON.stringify(to)];
  return before === after ? [] : [{ path, from: before, to: after }];
}

function joined(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function members(from: object, to: object): string[] {
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
}

function isOfMappings(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.some(isMapping);
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
