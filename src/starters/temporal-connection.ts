import { Client, Connection } from "@temporalio/client";
import { FreshetError } from "../errors/index.ts";

const CONNECT_MS = 5_000;
/** gRPC's status code. */
const NOT_FOUND = 5;

/**
 * A client of the Temporal server.
 * @param options `mayBeMissing`: the namespace is not asked for: whoever calls makes it.
 * @throws FreshetError `usage` where it has no such namespace; `unreachable` with the address and what to do, within five seconds.
 */
export async function connectTemporal(
  address: string,
  namespace: string,
  { mayBeMissing = false }: { readonly mayBeMissing?: boolean } = {},
): Promise<Client> {
  const connection = await Connection.connect({ address, connectTimeout: CONNECT_MS }).catch((cause: unknown) => {
    throw noServer(address, cause);
  });
  if (mayBeMissing) return new Client({ connection, namespace });
  await connection.workflowService.describeNamespace({ namespace }).catch(async (cause: { readonly code?: number }) => {
    await connection.close();
    throw cause.code === NOT_FOUND ? noNamespace(address, namespace, cause) : noServer(address, cause);
  });
  return new Client({ connection, namespace });
}

function noNamespace(address: string, namespace: string, cause: unknown): FreshetError {
  return new FreshetError("usage", "the Temporal server has no such namespace", {
    found: namespace,
    uri: address,
    remedy: `Make it (\`temporal operator namespace create --namespace ${namespace}\`), or set TEMPORAL_NAMESPACE`,
    cause,
  });
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
