import type { Told } from "../../envelopes/index.ts";
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
const NOBODY = "no dataset knows this name";

/**
 * Announces everything that a message told; resolves when Temporal holds all of it. What is told of one uri is announced in its
 * order, different uris beside each other.
 */
export async function announceTold(announcer: Announcer, told: readonly Told[], heardMs: number): Promise<AnnouncedUri[]> {
  const announced = await inOrder(
    told,
    ({ uri }) => uri,
    async ({ only, ...one }) => {
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
