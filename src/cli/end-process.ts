import { exitCodeOf, failureText } from "./failure.ts";

/**
 * Does a command's work and ends the process, as main.ts would say it. For commands that open stores: the binding keeps Node
 * running for ever (reference: icechunk, section 0.2).
 */
export async function endProcess(work: () => Promise<void>): Promise<never> {
  let code: number | undefined;
  try {
    await work();
  } catch (error) {
    code = exitCodeOf(error);
    process.stderr.write(failureText(error, process.argv.includes("--trace") || process.env.FRESHET_TRACE === "1"));
  }
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(code ?? process.exitCode);
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}
