import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { COMMANDS } from "./command-table.ts";
import { EXIT, exitCodeOf, failureText } from "./failure.ts";

const arguments_ = process.argv.slice(2);
const trace = arguments_.includes("--trace") || (process.env.FRESHET_TRACE ?? "") === "1";

// `freshet scan … | head` closes our output; that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? EXIT.ok : EXIT.failed);
});

try {
  const program = await programFor(arguments_);
  await program.parseAsync(arguments_, { from: "user" });
} catch (error) {
  process.exitCode = exitCodeOf(error);
  // Commander has printed its own errors by `outputError`.
  if (!(error instanceof CommanderError)) process.stderr.write(failureText(error, trace));
}
// A command that is done is done: an open store (reference: icechunk, section 0.2) or a long poll would keep Node running.
await Promise.all(
  [process.stdout, process.stderr].map((stream) => new Promise<void>((resolve) => stream.write("", () => resolve()))),
);
process.exit();

/** The program with every command by name, and the one that is asked for in full. */
async function programFor(words: readonly string[]): Promise<Command> {
  const program = new Command("freshet")
    .description("Keeps versioned Zarr datasets up to date with the files that agencies publish.")
    .version(version(), "-V, --version", "print the version")
    .option("--trace", "print a stack trace with an error (also: FRESHET_TRACE=1)")
    .showHelpAfterError(false)
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) =>
        write(
          `freshet: ${text
            .trim()
            .replace(/^error: /, "")
            .replace(/\s*\n\s*/g, " ")}\n`,
        ),
    })
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 failed, 2 wrong use, 130 stopped by Ctrl-C.\n`freshet help COMMAND` explains a command.",
    );
  const named = words.filter((word) => !word.startsWith("-"));
  const asked = named[0] === "help" ? named[1] : named[0];
  for (const entry of COMMANDS) {
    const command = program.command(entry.name).summary(entry.summary).copyInheritedSettings(program);
    command.description(entry.summary);
    if (entry.name !== asked) continue;
    command.option("--trace", "print a stack trace with an error");
    (await entry.load()).configure(command);
  }
  return program;
}

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
