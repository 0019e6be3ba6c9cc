import { readTimeEncoding } from "./cf-time.ts";

/**
 * Words for one unit, the first being the one that is compared: UDUNITS-2 has the names and symbols of a unit, CF Conventions 1.11, 4.1 and 4.2
 * those of latitudes and longitudes. Units that differ by a factor or an offset are not here.
 */
const SAME: readonly (readonly string[])[] = [
  ["degrees_north", "degree_north", "degree_N", "degrees_N", "degreeN", "degreesN"],
  ["degrees_east", "degree_east", "degree_E", "degrees_E", "degreeE", "degreesE"],
  ["degree", "degrees", "arc_degree", "arc_degrees", "°"],
  ["K", "kelvin", "kelvins", "Kelvin", "degK", "degree_Kelvin", "degrees_Kelvin", "degree_K", "degrees_K"],
  [
    "celsius",
    "Celsius",
    "degC",
    "degree_Celsius",
    "degrees_Celsius",
    "degree_C",
    "degrees_C",
    "°C",
    "degree_celsius",
    "degrees_celsius",
  ],
  ["m", "meter", "meters", "metre", "metres"],
  ["km", "kilometer", "kilometers", "kilometre", "kilometres"],
  ["s", "second", "seconds", "sec"],
  ["kg", "kilogram", "kilograms"],
  ["g", "gram", "grams"],
  ["Pa", "pascal", "pascals", "Pascal"],
  ["hPa", "hectopascal", "hectopascals", "mbar", "millibar", "millibars"],
  ["W", "watt", "watts"],
  ["J", "joule", "joules"],
  ["mol", "mole", "moles"],
  ["percent", "%"],
  ["1", ""],
];

const FIRST: ReadonlyMap<string, string> = new Map(
  SAME.flatMap(([first = "", ...others]) => others.map((word) => [word, first])),
);

/** `m`, `s-1`, `s^-1`, `s**-1`: a name and a whole exponent. */
const FACTOR = /^([A-Za-z_°%]+)(?:(?:\^|\*\*)?([+-]?\d{1,2}))?$/;
/** `seconds since …` without an offset from UTC, which calendars other than ours would apply otherwise. */
const REFERENCE_TIME = /^\S+\s+since\s+(?!.*\s[+-]\d)/i;

/**
 * One text for units that are written differently and mean the same, number for number: other names of a unit, other ways to write products and powers
 * (`m/s`, `m s-1`, `m s^-1`), other words for the same epoch. No units are those of a number without a dimension (CF Conventions 1.11, 3.1). What
 * is not understood stays as it is, so that it equals only itself.
 */
export function canonicalUnits(units: string | undefined): string {
  const text = (units ?? "").trim();
  if (REFERENCE_TIME.test(text)) return canonicalReference(text);
  // xarray makes durations of numbers of `seconds`, and not of those of `s`.
  const whole = FIRST.get(text);
  if (whole !== undefined) return whole === "s" ? text : whole;
  const powers = new Map<string, number>();
  // One division at most: of `a/b/c` and `a/b c` people do not mean the same.
  const [above = "", below, ...more] = text.replaceAll("**", "^").split("/");
  if (more.length > 0) return text;
  for (const [part, sign] of [[above, 1], ...(below === undefined ? [] : [[below, -1]])] as [string, number][]) {
    const factors = part.trim().split(/[\s.*·]+/);
    if (sign < 0 && factors.length > 1) return text;
    for (const factor of factors) {
      if (factor === "1") continue;
      const [, name, exponent = "1"] = FACTOR.exec(factor) ?? [];
      if (name === undefined) return text;
      const known = FIRST.get(name) ?? name;
      powers.set(known, (powers.get(known) ?? 0) + sign * Number(exponent));
    }
  }
  const factors = [...powers].filter(([, power]) => power !== 0).sort(([a], [b]) => (a < b ? -1 : 1));
  return factors.map(([name, power]) => (power === 1 ? name : `${name}${power}`)).join(" ") || "1";
}

function canonicalReference(text: string): string {
  try {
    const { unitMs, epochMs } = readTimeEncoding(text, "proleptic_gregorian");
    return `${unitMs} ms since ${epochMs}`;
  } catch {
    return text;
  }
}
