import { copyTurn, type Release } from "./host-turns.ts";
import type { ReaderOptions } from "./open-reader.ts";
import { AWS, s3Host } from "./s3-client.ts";
import { s3Place } from "./s3-uri.ts";

/**
 * Waits some seconds until what a uri names may be copied whole from its host; a file of this machine needs no turn.
 * @throws FreshetError `busy` when there is no turn by then, with when to come back.
 */
export async function turnToCopy(uri: string, { s3 = AWS, limits, signal }: ReaderOptions = {}): Promise<Release> {
  const { protocol, host } = new URL(uri);
  switch (protocol) {
    case "s3:":
      return copyTurn(s3Host(s3Place(uri).bucket, s3), limits, signal);
    case "http:":
    case "https:":
      return copyTurn(host, limits, signal);
    default:
      return () => {};
  }
}
