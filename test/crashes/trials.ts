import { TestPostgres } from "../support/postgres.ts";
import { announcedTwice } from "./announced-twice.ts";
import type { CrashWorldOptions } from "./crash-world.ts";
import { hundredGranules } from "./hundred-granules.ts";
import { DEATHS, POSTGRES_DEATHS, SLEEPS, TEMPORAL_DEATHS } from "./misfortunes.ts";
import { type Hit, type Misfortunes, playStory, requireSameEnd } from "./play-story.ts";

/** What a trial did: every misfortune, and in a few words what came of it. */
export interface TrialResult {
  readonly hits: readonly Hit[];
  readonly summary: string;
}

/** The long trials, by name; each throws when something was lost, doubled or not hit. */
export const TRIALS: Readonly<Record<string, () => Promise<TrialResult>>> = {
  deaths: () => storyWith(DEATHS),
  zombies: () => storyWith(SLEEPS),
  temporal: () => storyWith(TEMPORAL_DEATHS, { isDurable: true }),
  postgres: withPostgres,
  workers: async () => ({ hits: [], summary: await hundredGranules() }),
  webhook: async () => ({
    hits: [{ act: "an announcement by webhook", step: "announce: held", mishap: "dies", happened: true }],
    summary: await announcedTwice(),
  }),
};

export async function storyWith(misfortunes: Misfortunes, options: CrashWorldOptions = {}): Promise<TrialResult> {
  const played = await playStory(misfortunes, options);
  await requireSameEnd(played);
  const { revisions, publications } = played.end;
  const summary = `the same end as undisturbed: ${revisions.length} revisions, ${publications.length} publications, 0 lost, 0 doubled`;
  return { hits: played.hits, summary };
}

async function withPostgres(): Promise<TrialResult> {
  const postgres = await TestPostgres.start();
  try {
    return await storyWith(POSTGRES_DEATHS, { postgres });
  } finally {
    await postgres.stop();
  }
}
