import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Client } from "@temporalio/client";
import type { BackfillSearch, DatasetReference } from "../contract/index.ts";
import { startBackfill } from "./backfill.ts";

/** Keeps the list of uris in `home`, or has a search make it, and starts the backfill of them; the same ones meet the same backfill. Answers its workflow id. */
export async function beginBackfill(
  client: Client,
  home: string,
  dataset: DatasetReference,
  uris: readonly string[] | BackfillSearch,
  { window, again }: { readonly window: number; readonly again: boolean },
): Promise<string> {
  const isList = Array.isArray(uris);
  const text = isList ? `${uris.join("\n")}\n` : JSON.stringify(uris);
  const id = createHash("sha256")
    .update(JSON.stringify([dataset, again, text]))
    .digest("hex")
    .slice(0, 12);
  const folder = join(home, "backfills");
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${id}.txt`);
  if (isList) await writeFile(path, text);
  const list = pathToFileURL(path).href;
  const what = isList ? { total: uris.length } : { total: 0, search: uris as BackfillSearch };
  return (await startBackfill(client, id, { dataset, list, ...what, window, again })).workflowId;
}
