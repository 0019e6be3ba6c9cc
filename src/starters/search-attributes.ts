import type { Client } from "@temporalio/client";
import { SEARCH_ATTRIBUTES } from "../contract/index.ts";

const KEYWORD = 2;
/** gRPC's status code. */
const ALREADY_EXISTS = 6;

/** Makes sure that the namespace has Freshet's search attributes. Answers those that were missing. */
export async function ensureSearchAttributes(client: Client, options: { readonly dryRun?: boolean } = {}): Promise<string[]> {
  const { namespace } = client.options;
  const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace });
  const missing = SEARCH_ATTRIBUTES.filter((name) => customAttributes?.[name] === undefined);
  if (missing.length > 0 && options.dryRun !== true) {
    await client.connection.operatorService
      .addSearchAttributes({ namespace, searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])) })
      .catch((error: { code?: number }) => {
        // Somebody else applies a file at the same time.
        if (error.code !== ALREADY_EXISTS) throw error;
      });
  }
  return missing;
}
