import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Client } from "@temporalio/client";
import type { DatasetReference } from "../../contract/index.ts";
import { startBackfill } from "../../starters/index.ts";

/** Keeps the list of uris in `home` and starts the backfill of them; the same list meets the same backfill. Answers its workflow id. */
export async function beginBackfill(
  client: Client,
  home: string,
  dataset: DatasetReference,
  uris: readonly string[],
  { window, again }: { readonly window: number; readonly again: boolean },
): Promise<string> {
  const text = `${uris.join("\n")}\n`;
  const id = createHash("sha256")
    .update(JSON.stringify([dataset, again, text]))
    .digest("hex")
    .slice(0, 12);
  const folder = join(home, "backfills");
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${id}.txt`);
  await writeFile(path, text);
  const list = pathToFileURL(path).href;
  return (await startBackfill(client, id, { dataset, list, total: uris.length, window, again })).workflowId;
}
