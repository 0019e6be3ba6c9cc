import type { Command } from "commander";

/** What the module of a command exports: it adds arguments, options, examples and the action. */
export interface CommandModule {
  configure(command: Command): void;
}

export interface CommandEntry {
  readonly name: string;
  /** One line for `freshet --help`. */
  readonly summary: string;
  /** Loaded only when this is the command that was asked for. */
  readonly load: () => Promise<CommandModule>;
}

/** Every command, in the order of `freshet --help`. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "scan",
    summary: "find the byte ranges of every chunk of files, without reading their data",
    load: () => import("./commands/scan.ts"),
  },
];
