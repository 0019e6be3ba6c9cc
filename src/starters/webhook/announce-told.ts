import type { Told } from "../../envelopes/index.ts";
import type { Announced, Announcer } from "../announcer.ts";

/** With these 100 announcements took 0.5 to 0.9 s, dev server and two cores; SNS gives up waiting after 15 s. */
const AT_ONCE = 16;

/** What became of one uri. */
export interface AnnouncedUri {
  readonly uri: string;
  readonly granules: readonly Announced[];
  /** Why there are none. */
  readonly note?: string;
}

/**
 * Announces everything that a message told; resolves when Temporal holds all of it. What is told of one uri is announced in its
 * order, different uris beside each other.
 */
export async function announceTold(announcer: Announcer, told: readonly Told[], heardMs: number): Promise<AnnouncedUri[]> {
  const ofUri = Map.groupBy(told, ({ uri }) => uri);
  const waiting = ofUri.entries();
  const done = new Map<string, AnnouncedUri>();
  const announceNext = async (): Promise<void> => {
    for (const [uri, all] of waiting) {
      let granules: Announced[] = [];
      for (const one of all) granules = await announcer.announce({ ...one, by: "webhook", heardMs });
      done.set(uri, { uri, granules, ...(granules.length === 0 && { note: "no dataset knows this name" }) });
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, ofUri.size) }, announceNext));
  return [...ofUri.keys()].map((uri) => done.get(uri) as AnnouncedUri);
}
