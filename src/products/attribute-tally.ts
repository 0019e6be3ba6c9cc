import { type AttributeRule, type AttributeRules, attributeRule } from "../dataset/index.ts";
import type { AttributeValue, VirtualGroup } from "../virtual/index.ts";
import { attributesByPath } from "./attributes-by-path.ts";

/** An attribute's value as JSON: numbers are text, as JSON has neither NaN nor 64-bit integers. */
export interface ToldValue {
  readonly type: AttributeValue["type"];
  readonly scalar?: boolean;
  readonly value: string | readonly string[];
}

/** What a product says of one attribute in which granules differ, and what it takes to say it again when one comes or goes. */
export interface ToldAttribute {
  /** Undefined: no granule has it, or there are too many values to list. */
  readonly value?: ToldValue | undefined;
  /** Of `min` and `max`: how many granules have this value. */
  readonly holders?: number | undefined;
  /** Of `list`: every value and how many granules have it. */
  readonly counts?: readonly (readonly [value: ToldValue, granules: number])[] | undefined;
}

/** By path ("/" is the root group) and name. */
export type ToldAttributes = Readonly<Record<string, Readonly<Record<string, ToldAttribute>>>>;

/** Different values of an attribute that are listed; one that has more is left out, until some are gone. */
const MOST_VALUES = 200;
/** That are counted. Of an attribute that has more, nothing is said until the product is rebuilt. */
const MOST_COUNTED = 1_000;

/** Whether these rules need to hear of every granule that comes or goes. */
export function needsTally(rules: AttributeRules): boolean {
  return Object.values(rules).some((rule) => rule === "min" || rule === "max" || rule === "list");
}

/**
 * What is said once some granules have come and others gone; undefined where the least or greatest value has gone, so that all granules have to be heard
 * again (with `before` empty).
 */
export function tallied(
  before: ToldAttributes,
  rules: AttributeRules,
  { come, gone }: { readonly come: Iterable<VirtualGroup>; readonly gone: Iterable<VirtualGroup> },
): ToldAttributes | undefined {
  const told = new Map(Object.entries(before).map(([path, names]) => [path, new Map(Object.entries(names))]));
  let isLost = false;
  const hear = (root: VirtualGroup, sign: 1 | -1): void => {
    for (const { path, name, rule, value } of ruledAttributes(root, rules)) {
      const names = told.get(path) ?? new Map<string, ToldAttribute>();
      told.set(path, names);
      const known = names.get(name) ?? {};
      const next =
        rule === "list"
          ? counted(known, value, sign)
          : rule === "min" || rule === "max"
            ? extreme(known, value, sign, rule)
            : known;
      if (next === undefined) isLost = true;
      else names.set(name, next);
    }
  };
  // Who comes may have the value that goes.
  for (const root of come) hear(root, 1);
  for (const root of gone) hear(root, -1);
  return isLost ? undefined : Object.fromEntries([...told].map(([path, names]) => [path, Object.fromEntries(names)]));
}

/** The same with the values of the first and of the last granule on the axis, where these are asked for. */
export function withEnds(
  told: ToldAttributes,
  rules: AttributeRules,
  ends: { readonly first: VirtualGroup | undefined; readonly latest: VirtualGroup | undefined },
): ToldAttributes {
  const result: Record<string, Record<string, ToldAttribute>> = {};
  for (const [path, names] of Object.entries(told)) {
    const kept = Object.entries(names).filter(([, { holders, counts }]) => holders !== undefined || counts !== undefined);
    result[path] = Object.fromEntries(kept);
  }
  for (const end of ["first", "latest"] as const) {
    const root = ends[end];
    if (root === undefined) continue;
    for (const { path, name, rule, value } of ruledAttributes(root, rules)) {
      if (rule !== end) continue;
      result[path] ??= {};
      (result[path] as Record<string, ToldAttribute>)[name] = { value };
    }
  }
  return result;
}

/** The attribute as it was in the granule that had it. */
export function attributeOf({ type, scalar, value }: ToldValue): AttributeValue {
  if (type === "text") return { type, value: value as string };
  if (type === "texts") return { type, value: value as readonly string[] };
  const isLong = type === "int64" || type === "uint64";
  const numbers = (value as readonly string[]).map((text) => (isLong ? BigInt(text) : Number(text)));
  return { type, scalar: scalar ?? true, value: numbers } as AttributeValue;
}

interface Ruled {
  readonly path: string;
  readonly name: string;
  readonly rule: AttributeRule;
  readonly value: ToldValue;
}

function* ruledAttributes(root: VirtualGroup, rules: AttributeRules): Generator<Ruled> {
  for (const { path, isGroup, attributes } of attributesByPath(root)) {
    for (const [name, value] of attributes) {
      const rule = attributeRule(rules, isGroup ? undefined : path, name);
      if (rule !== undefined && rule !== "drop" && rule !== "must-equal") yield { path, name, rule, value: toldValue(value) };
    }
  }
}

function toldValue(attribute: AttributeValue): ToldValue {
  if (attribute.type === "text") return { type: "text", value: attribute.value };
  if (attribute.type === "texts") return { type: "texts", value: attribute.value };
  const value = Array.from(attribute.value as readonly (number | bigint)[], (number) =>
    Object.is(number, -0) ? "-0" : String(number),
  );
  return { type: attribute.type, scalar: attribute.scalar, value };
}

/** The least or greatest value, and how many have it; undefined where the last that had it has gone. */
function extreme(known: ToldAttribute, value: ToldValue, sign: 1 | -1, rule: "min" | "max"): ToldAttribute | undefined {
  const { value: standing, holders = 0 } = known;
  if (standing === undefined) return sign > 0 ? { value, holders: 1 } : known;
  const order = compared(value, standing) * (rule === "min" ? 1 : -1);
  if (order === 0) return holders + sign === 0 ? undefined : { value: standing, holders: holders + sign };
  return order < 0 && sign > 0 ? { value, holders: 1 } : known;
}

function counted({ counts = [], value: told }: ToldAttribute, value: ToldValue, sign: 1 | -1): ToldAttribute {
  if (counts.length > MOST_COUNTED) return { counts };
  const at = counts.findIndex(([other]) => isSame(other, value));
  const next: (readonly [ToldValue, number])[] =
    at < 0
      ? sign > 0
        ? [...counts, [value, 1]]
        : [...counts]
      : counts.map((entry, index) => (index === at ? [entry[0], entry[1] + sign] : entry));
  if (at >= 0 && told !== undefined && (next[at]?.[1] ?? 0) > 0) return { value: told, counts: next };
  const left = next.filter(([, granules]) => granules > 0);
  return { value: left.length <= MOST_VALUES ? listOf(left.map(([other]) => other)) : undefined, counts: left };
}

/** Every value once, ascending: one by itself, several as a list of texts or of numbers of one type. */
function listOf(values: readonly ToldValue[]): ToldValue | undefined {
  const [first, ...others] = [...values].sort(compared);
  if (first === undefined || others.length === 0) return first;
  const texts = (value: ToldValue): readonly string[] => (typeof value.value === "string" ? [value.value] : value.value);
  const all = [...new Set([first, ...others].flatMap(texts))];
  const isOfNumbers = first.type !== "text" && first.type !== "texts" && others.every(({ type }) => type === first.type);
  return isOfNumbers ? { type: first.type, scalar: false, value: all } : { type: "texts", value: all };
}

function isSame(a: ToldValue, b: ToldValue): boolean {
  return a.type === b.type && JSON.stringify(a.value) === JSON.stringify(b.value);
}

/** Numbers by their size, texts by their characters: times of one form are in order then. */
function compared(a: ToldValue, b: ToldValue): number {
  const isNumber = ({ type }: ToldValue): boolean => type !== "text" && type !== "texts";
  if (isNumber(a) && isNumber(b)) {
    const [x, y] = [Number(a.value[0]), Number(b.value[0])];
    return x < y ? -1 : x > y ? 1 : 0;
  }
  const [x, y] = [JSON.stringify(a.value), JSON.stringify(b.value)];
  return x < y ? -1 : x > y ? 1 : 0;
}
