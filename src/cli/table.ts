import { stripVTControlCharacters } from "node:util";

/** One column of a table: its heading, and whether it holds numbers. */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

/** Lines of text with the columns under each other, two spaces between them, indented by two. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map((column, index) => Math.max(column.title.length, ...rows.map((row) => widthOf(row[index] ?? ""))));
  const line = (cells: readonly string[]): string =>
    `  ${columns
      .map(({ align }, index) => {
        const cell = cells[index] ?? "";
        const padding = " ".repeat((widths[index] as number) - widthOf(cell));
        return align === "right" ? padding + cell : cell + padding;
      })
      .join("  ")}`.trimEnd();
  return [line(columns.map((column) => column.title)), ...rows.map(line)];
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
