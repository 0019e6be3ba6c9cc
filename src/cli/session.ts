import type { Client } from "@temporalio/client";
import type { Ledger } from "../ledger/index.ts";
import type { Settings } from "../worker/settings.ts";

/** What most commands work with; parts are opened when they are asked for, and closed at the end. */
export interface Session {
  readonly settings: Settings;
  ledger(): Promise<Ledger>;
  client(): Promise<Client>;
}

/**
 * Runs a command's work with a session and closes what it opened, whatever happens.
 * @throws what the work throws, and FreshetError `storage`, `unreachable` when a part cannot be opened.
 */
export async function withSession<T>(settings: Settings, work: (session: Session) => Promise<T>): Promise<T> {
  const closers: (() => Promise<unknown>)[] = [];
  let ledger: Promise<Ledger> | undefined;
  let client: Promise<Client> | undefined;
  const session: Session = {
    settings,
    ledger: () => {
      ledger ??= import("../ledger/index.ts").then(async ({ openLedger }) => {
        const opened = await openLedger(settings.ledgerUrl);
        closers.push(() => opened.close());
        return opened;
      });
      return ledger;
    },
    client: () => {
      client ??= import("../starters/temporal-connection.ts").then(async ({ connectTemporal }) => {
        const opened = await connectTemporal(settings.temporalAddress, settings.temporalNamespace);
        closers.push(() => opened.connection.close());
        return opened;
      });
      return client;
    },
  };
  try {
    return await work(session);
  } finally {
    for (const close of closers) await close().catch(() => undefined);
  }
}
