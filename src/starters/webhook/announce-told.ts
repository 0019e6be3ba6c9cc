import { recordOf } from "../../acquisition/index.ts";
import type { Told } from "../../envelopes/index.ts";
import { announceRecord } from "../announce-record.ts";
import type { Announced, Announcer } from "../announcer.ts";
import { inOrder } from "../in-order.ts";

/** What became of one uri. */
export interface AnnouncedUri {
  readonly uri: string;
  readonly granules: readonly Announced[];
  /** Why there are none. */
  readonly note?: string;
}

const VIA = "webhook";
/** Whoever posts waits for the answer. */
const RECORD_MS = 20_000;
const NOBODY = "no dataset knows this name";

/**
 * Announces everything that a message told; resolves when Temporal holds all of it. What is told of one uri is announced in its
 * order, different uris beside each other. The record of a granule that a notification of CMR names is resolved to its links.
 * @throws FreshetError as `announceRecord`.
 */
export async function announceTold(announcer: Announcer, told: readonly Told[], heardMs: number): Promise<AnnouncedUri[]> {
  const announced = await inOrder(
    told,
    ({ uri }) => uri,
    async ({ only, ...one }) => {
      const record = recordOf(one.uri);
      if (record !== undefined) {
        const told = await announceRecord(announcer, record, { heardMs, signal: AbortSignal.timeout(RECORD_MS), by: () => VIA });
        const names = new Set(told.map(({ dataset }) => dataset));
        const served = (await announcer.datasets()).filter(({ name }) => names.has(name));
        return { granules: told, sources: served.map(({ source }) => source.name) };
      }
      const granules = await announcer.announce({ ...one, by: VIA, heardMs }, { only });
      const sources = (await announcer.routes(one.uri, only, one.fields)).map(({ dataset }) => dataset.source.name);
      return { granules, sources };
    },
  );
  const { book } = announcer;
  const answers: AnnouncedUri[] = [];
  for (const [uri, { granules, sources }] of announced) {
    for (const source of sources) book.count(source, VIA, "matched");
    if (granules.length === 0) book.unmatched((await announcer.sourceOf(uri)) ?? "none", VIA, uri);
    answers.push({ uri, granules, ...(granules.length === 0 && { note: NOBODY }) });
  }
  return answers;
}
