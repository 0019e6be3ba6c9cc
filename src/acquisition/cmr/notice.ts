import { compileNames, type Dataset } from "../../dataset/index.ts";
import type { Told } from "../../envelopes/index.ts";
import { granuleMetadata } from "./client.ts";
import { granuleOfUmm } from "./granule.ts";
import { linksFor } from "./links.ts";
import { promisedBy } from "./look.ts";

/** A granule's record in a CMR, as the notifications of its ingest subscriptions name it. */
export interface CmrRecord {
  /** `https://…/`. */
  readonly endpoint: string;
  readonly conceptId: string;
}

/** The record that a uri names; undefined for any other uri. Pure. */
export function recordOf(uri: string): CmrRecord | undefined {
  const [, endpoint, conceptId] = /^(https?:\/\/[^/]+\/)search\/concepts\/(G\d+-[A-Za-z0-9_]+)(?:\/\d+)?$/.exec(uri) ?? [];
  return endpoint === undefined || conceptId === undefined ? undefined : { endpoint, conceptId };
}

/**
 * What is to be announced of a record, by dataset: the links that its source may name and its grammar knows, where its source asks that very CMR.
 * Nobody else's CMR is asked, whatever a message names.
 * @throws FreshetError `source-missing` where CMR has no such granule; as `granuleMetadata`.
 */
export async function announcementsOf(
  { endpoint, conceptId }: CmrRecord,
  datasets: readonly Dataset[],
  signal: AbortSignal,
): Promise<readonly { readonly dataset: Dataset; readonly told: Told }[]> {
  const asking = datasets.filter(({ source }) => source.cmr?.endpoint === endpoint);
  const cmr = asking[0]?.source.cmr;
  if (cmr === undefined) return [];
  const granule = granuleOfUmm(await granuleMetadata(cmr, conceptId, signal), conceptId, 0);
  if (granule === undefined) return [];
  return asking
    .filter(({ collection }) => isOneOf(granule.names, collection?.granules ?? []))
    .flatMap((dataset) =>
      linksFor(dataset, compileNames(dataset.match), granule.links).map(({ link }) => ({ dataset, told: promisedBy(link, cmr) })),
    );
}

/** As CMR understands patterns: `*` is any text, `?` any character, whatever the case. */
function isOneOf(names: readonly string[], patterns: readonly string[]): boolean {
  if (patterns.length === 0) return true;
  return patterns.some((pattern) => {
    const text = pattern
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replace(/\*+/g, ".*")
      .replace(/\?/g, ".");
    const form = new RegExp(`^${text}$`, "i");
    return names.some((name) => form.test(name));
  });
}
