import type { Source } from "../dataset/index.ts";
import { isFreshetError } from "../errors/index.ts";
import { openSource } from "./open-source.ts";

/** In words, that nothing is there; undefined where something is. @throws FreshetError as `openSource`, when the source does not answer. */
export async function whyAbsent(source: Source, uri: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    await (await openSource(source, uri, signal)).close();
    return undefined;
  } catch (error) {
    if (isFreshetError(error, "source-missing")) return error.summary;
    throw error;
  }
}
