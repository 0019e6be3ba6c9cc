import { join, resolve } from "node:path";

/** Where a Freshet process finds its parts. Everything has a default that suits one machine. */
export interface Settings {
  /** Folder for the ledger, scans and whatever else is ours: FRESHET_HOME, default `.freshet` here. */
  readonly home: string;
  /** FRESHET_LEDGER, default an SQLite file in `home`. */
  readonly ledgerUrl: string;
  /** Folder of the scan store. */
  readonly scanFolder: string;
  /** TEMPORAL_ADDRESS, default the one that a running `freshet demo --keep` or dev server has. */
  readonly temporalAddress: string;
  /** TEMPORAL_NAMESPACE. */
  readonly temporalNamespace: string;
}

/** Reads the settings from the environment; `given` (command-line options) goes first. */
export function readSettings(
  given: { readonly home?: string | undefined } = {},
  environment: NodeJS.ProcessEnv = process.env,
): Settings {
  const home = resolve(given.home ?? environment.FRESHET_HOME ?? ".freshet");
  return {
    home,
    ledgerUrl: environment.FRESHET_LEDGER ?? `sqlite:${join(home, "ledger.db")}`,
    scanFolder: home,
    temporalAddress: environment.TEMPORAL_ADDRESS ?? "127.0.0.1:7233",
    temporalNamespace: environment.TEMPORAL_NAMESPACE ?? "default",
  };
}
