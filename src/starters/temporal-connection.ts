import { Client, Connection } from "@temporalio/client";
import { FreshetError } from "../errors/index.ts";

const CONNECT_MS = 5_000;

/**
 * A client of the Temporal server.
 * @throws FreshetError `unreachable` with the address and what to do, within five seconds.
 */
export async function connectTemporal(address: string, namespace: string): Promise<Client> {
  const connection = await Connection.connect({ address, connectTimeout: CONNECT_MS }).catch((cause: unknown) => {
    throw noServer(address, cause);
  });
  return new Client({ connection, namespace });
}

/** The error for a server that does not answer at `address`. */
export function noServer(address: string, cause: unknown): FreshetError {
  return new FreshetError("unreachable", "no Temporal server answers", {
    found: (cause as Error).message.split("\n")[0],
    uri: address,
    remedy: "Start one (`temporal server start-dev`), or set TEMPORAL_ADDRESS",
    cause,
  });
}
