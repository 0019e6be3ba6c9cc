import { styleText } from "node:util";

/** What a colour means here. */
export type Tone = "good" | "waiting" | "bad" | "faint" | "strong";

const STYLES = { good: "green", waiting: "yellow", bad: "red", faint: "dim", strong: "bold" } as const;

/** Coloured where stdout is a terminal and NO_COLOR is not set; else the text as it is. */
export function paint(tone: Tone, text: string): string {
  return process.stdout.isTTY === true ? styleText(STYLES[tone], text, { stream: process.stdout }) : text;
}

const BAD: readonly string[] = ["quarantined", "failed"];
const GOOD: readonly string[] = ["published"];

/** A stage or state in its colour. */
export function paintStage(stage: string): string {
  return paint(GOOD.includes(stage) ? "good" : BAD.includes(stage) ? "bad" : "waiting", stage);
}

/** Text as it is, at most `width` characters long. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
