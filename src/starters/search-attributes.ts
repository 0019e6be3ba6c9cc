import type { Client } from "@temporalio/client";
import { SEARCH_ATTRIBUTES } from "../contract/index.ts";

const KEYWORD = 2;

/** Makes sure that the namespace has Freshet's search attributes. Answers those that were missing. */
export async function ensureSearchAttributes(client: Client, options: { readonly dryRun?: boolean } = {}): Promise<string[]> {
  const { namespace } = client.options;
  const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace });
  const missing = SEARCH_ATTRIBUTES.filter((name) => customAttributes?.[name] === undefined);
  if (missing.length > 0 && options.dryRun !== true) {
    await client.connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
    });
  }
  return missing;
}
