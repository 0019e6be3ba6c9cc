import { stripVTControlCharacters } from "node:util";
import { cut } from "./paint.ts";

/** One column of a table: its heading, whether it holds numbers, and whether it is cut where the terminal ends. */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  readonly cut?: boolean;
}

/** A column that is cut keeps this many characters. */
const LEAST_CUT = 20;

/**
 * Lines of text with the columns under each other, two spaces between them, indented by two.
 * @param width characters of a line; what does not fit is cut where columns allow it. Default: the terminal's; elsewhere nothing
 *   is cut.
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number | undefined = terminalWidth(),
): string[] {
  const full = columns.map((column, index) => Math.max(column.title.length, ...rows.map((row) => widthOf(row[index] ?? ""))));
  const widths = width === undefined ? full : fitted(columns, full, width);
  const line = (cells: readonly string[]): string =>
    `  ${columns
      .map(({ align }, index) => {
        const room = widths[index] as number;
        const whole = cells[index] ?? "";
        const cell = widthOf(whole) <= room ? whole : cut(stripVTControlCharacters(whole), room);
        const padding = " ".repeat(room - widthOf(cell));
        return align === "right" ? padding + cell : cell + padding;
      })
      .join("  ")}`.trimEnd();
  return [line(columns.map((column) => column.title)), ...rows.map(line)];
}

/** The terminal's columns; undefined where stdout is none. */
function terminalWidth(): number | undefined {
  return process.stdout.isTTY === true ? process.stdout.columns : undefined;
}

/** The widths with those of columns that may be cut made smaller, one after the other from the last, until the line fits. */
function fitted(columns: readonly Column[], widths: readonly number[], width: number): number[] {
  let surplus = widths.reduce((sum, each) => sum + each + 2, 0) - width;
  const fitting = [...widths];
  for (let index = columns.length - 1; index >= 0 && surplus > 0; index--) {
    if (columns[index]?.cut !== true) continue;
    const before = fitting[index] as number;
    fitting[index] = Math.max(Math.min(before, LEAST_CUT), before - surplus);
    surplus -= before - (fitting[index] as number);
  }
  return fitting;
}

/** Characters on the screen: colours take no place. */
function widthOf(cell: string): number {
  return stripVTControlCharacters(cell).length;
}

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** `1.2 MB`: three digits at most, powers of 1000. */
export function describeBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** `1 file`, `2 files`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
