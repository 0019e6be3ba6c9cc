import { EXIT, interrupt } from "./failure.ts";

let controller: AbortController | undefined;

/**
 * A signal that aborts at the first Ctrl-C or SIGTERM, for commands that stop by it. The second one ends the process at once,
 * as it does for commands that never ask for this signal.
 */
export function interruptSignal(): AbortSignal {
  if (controller === undefined) {
    const created = new AbortController();
    controller = created;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      // Not `once`: what restores the cursor (signal-exit) ends the process when it finds itself the only listener.
      process.on(signal, () => {
        if (created.signal.aborted) process.exit(signal === "SIGINT" ? EXIT.interrupted : EXIT.terminated);
        created.abort(interrupt(signal));
      });
    }
  }
  return controller.signal;
}
