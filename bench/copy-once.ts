import { openSource } from "../src/acquisition/index.ts";
import { copyToMirror } from "../src/acquisition/mirror.ts";
import type { Source } from "../src/dataset/index.ts";
import { turnToCopy } from "../src/storage/index.ts";

/** A granule into the mirror as the activity `download` does it, without the ledger. @param mirror `file:///…/`. */
export async function copyOnce(uri: string, mirror: string, key: string, signal: AbortSignal): Promise<string> {
  const source: Source = { name: "bench", at: new URL("./", uri).href, allow: [] };
  const release = await turnToCopy(uri, { signal });
  try {
    const reader = await openSource(source, uri, signal, { isForCopy: true, firstBytes: 2 ** 20 });
    return await copyToMirror(reader, { mirror, dataset: "d", key, identity: "i" }, { signal, onProgress: () => undefined });
  } finally {
    release();
  }
}
