import { FreshetError } from "../errors/index.ts";
import type { NameFields } from "../ledger/index.ts";

export const EACH_FORM = "a relative path with {file}, {key} or fields of the name, such as {ofs}/{run:%Y%m%d}/{file}.json";
const FIELD = /\{([A-Za-z][A-Za-z0-9_]*)(?::((?:%[YmdjHMS]|[^{}%/])+))?\}/g;
/** What most file systems allow of a name. */
const LONGEST_NAME = 255;

/** True for a path that leads downwards and names granules. */
export function isPathTemplate(text: string): boolean {
  const literal = text.replace(FIELD, "x");
  const isBelow = literal.split("/").every((part) => part !== "" && part !== "." && part !== "..");
  return isBelow && literal !== text && !/[{}\\\0]/.test(literal);
}

/** What a path is made of, beside the fields of the name. */
export interface GranuleNames {
  readonly key: string;
  /** Last segment of the granule's uri, decoded. */
  readonly file: string;
  readonly fields: NameFields;
}

/**
 * The path that the template gives a granule, without a leading `/`. `{field:%Y%m%d}` writes an instant; a number is written in
 * decimal digits.
 * @throws FreshetError `dataset-file` for a field that the granule does not have; for values that would lead elsewhere.
 */
export function granulePath(template: string, { key, file, fields }: GranuleNames): string {
  const path = template.replace(FIELD, (whole, name: string, format: string | undefined) => {
    const value = name === "file" ? file : name === "key" ? key : Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (value === undefined || (format !== undefined && typeof value !== "number")) {
      throw new FreshetError("dataset-file", "a path of references names a field that the granule does not have", {
        found: whole,
        expected: `{file}, {key}, ${Object.keys(fields)
          .map((field) => `{${field}}`)
          .join(", ")}`,
        granule: key,
      });
    }
    return format === undefined ? String(value) : formatted(format, new Date(value as number));
  });
  const parts = path.split("/");
  const isGood = (part: string): boolean =>
    part !== "" && !/^\.|[\\\0]/.test(part) && Buffer.byteLength(part, "utf8") <= LONGEST_NAME;
  if (parts.length === template.split("/").length && parts.every(isGood)) return path;
  throw new FreshetError("dataset-file", "a granule's name makes no path for its references", {
    found: path.slice(0, 200),
    expected: `names of at most ${LONGEST_NAME} bytes that do not begin with a dot`,
    granule: key,
  });
}

function formatted(format: string, date: Date): string {
  const pad = (value: number, digits: number): string => String(value).padStart(digits, "0");
  const yearStart = Date.UTC(date.getUTCFullYear(), 0, 1);
  const parts: Readonly<Record<string, string>> = {
    Y: pad(date.getUTCFullYear(), 4),
    m: pad(date.getUTCMonth() + 1, 2),
    d: pad(date.getUTCDate(), 2),
    j: pad(1 + Math.floor((date.getTime() - yearStart) / 86_400_000), 3),
    H: pad(date.getUTCHours(), 2),
    M: pad(date.getUTCMinutes(), 2),
    S: pad(date.getUTCSeconds(), 2),
  };
  return format.replace(/%([YmdjHMS])/g, (_, part: string) => parts[part] as string);
}
