import { announcementsOf, type CmrRecord, recordOf } from "../acquisition/index.ts";
import type { Source } from "../dataset/index.ts";
import type { Told } from "../envelopes/index.ts";
import { reached } from "../steps/index.ts";
import type { Announced, Announcer } from "./announcer.ts";

/** How what a record says is announced. */
export interface RecordDelivery {
  readonly heardMs: number;
  readonly signal: AbortSignal;
  /** Who announces to the datasets of a source. */
  readonly by: (source: Source) => string;
  /** Whether what comes this way, and has that uri, is for the datasets of a source. Default: it is. */
  readonly serves?: (source: Source, uri: string) => Promise<boolean>;
}

/**
 * A notification of CMR names the granule's record: the files stand in that. Announces them; resolves when Temporal holds it.
 * @throws FreshetError as `announcementsOf`.
 */
export async function announceRecord(
  announcer: Announcer,
  record: CmrRecord,
  { heardMs, signal, by, serves }: RecordDelivery,
): Promise<Announced[]> {
  const announced: Announced[] = [];
  for (const { dataset, told } of await announcementsOf(record, await announcer.datasets(), signal)) {
    if (serves !== undefined && !(await serves(dataset.source, told.uri))) continue;
    announced.push(...(await announcer.announce({ ...told, by: by(dataset.source), heardMs }, { only: dataset.name })));
    reached("announce: held");
  }
  return announced;
}

/** What is deleted has no record any more: the next look at CMR finds it. Divides that from the rest. */
export function withoutDeletedRecords(told: readonly Told[]): {
  readonly told: readonly Told[];
  readonly passedOver: readonly string[];
} {
  const isDeleted = ({ uri, removed }: Told): boolean => removed === true && recordOf(uri) !== undefined;
  return {
    told: told.filter((one) => !isDeleted(one)),
    passedOver: told.filter(isDeleted).map(({ uri }) => `${uri} is deleted: that is for the next look at CMR`),
  };
}
