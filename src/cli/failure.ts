import { CommanderError } from "commander";
import { isFreshetError } from "../errors/index.ts";

/** Exit codes of `freshet`. A command ends with `failed` also when only a part of what was asked failed. */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130, terminated: 143 } as const;

/** The exit code for what a command threw. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (isFreshetError(error, "usage", "dataset-file")) return EXIT.usage;
  if (isInterrupt(error)) return (error as Error).cause === "SIGTERM" ? EXIT.terminated : EXIT.interrupted;
  return EXIT.failed;
}

/** One line for a person: `freshet: <message>`. With `trace` the stack follows, and that of every cause. */
export function failureText(error: unknown, trace: boolean): string {
  // A dataset file with several mistakes has a line for each.
  const messages = isFreshetError(error, "dataset-file") ? error.message.split("\n") : [messageOf(error)];
  const line = messages.map((message) => `freshet: ${oneLine(message)}\n`).join("");
  if (!trace || !(error instanceof Error)) return line;
  let text = line;
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    text += `${at === error ? "" : "caused by: "}${at.stack ?? at}\n`;
  return text;
}

/** What `interruptSignal` aborts with. */
export function interrupt(signal: "SIGINT" | "SIGTERM"): Error {
  return Object.assign(new Error("stopped", { cause: signal }), { name: "AbortError" });
}

function isInterrupt(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (isFreshetError(error) || isInterrupt(error) || error instanceof CommanderError) return error.message;
  // Not of our family: a defect of Freshet, which the bare message of a TypeError does not tell.
  return `unexpected ${error.name}: ${error.message}. Run it again with --trace and report what it prints`;
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, " ");
}
