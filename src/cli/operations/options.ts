import { type Command, InvalidArgumentError } from "commander";

/** Options that the commands of operators share. */
export interface OperatorOptions {
  readonly product?: string;
  readonly by?: string;
  readonly json?: boolean;
  readonly home?: string;
}

/** Adds the argument and the options that they share, behind those that a command has of its own. */
export function withOperatorOptions(command: Command): Command {
  return command
    .option("--product <name>", "which product; needed where the dataset has several")
    .option("--by <name>", "who asks; goes into the version's message (default: the user's name)")
    .option("--json", "print one JSON object a product")
    .option("--home <folder>", "where the ledger is (FRESHET_HOME, default .freshet)");
}

/** A whole number from 1, for an option. */
export function atLeastOne(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError("A whole number from 1.");
  return number;
}
