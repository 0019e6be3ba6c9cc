import { missingPostgres, TestPostgres } from "../support/postgres.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { announcedTwice } from "./announced-twice.ts";
import type { CrashWorldOptions } from "./crash-world.ts";
import { missingOwnTemporal } from "./durable-temporal.ts";
import { hundredGranules } from "./hundred-granules.ts";
import { DEATHS, POSTGRES_DEATHS, SLEEPS, TEMPORAL_DEATHS } from "./misfortunes.ts";
import { type Hit, type Misfortunes, playStory, requireSameEnd } from "./play-story.ts";

/** What a trial did: every misfortune, and in a few words what came of it. */
export interface TrialResult {
  readonly hits: readonly Hit[];
  readonly summary: string;
}

export interface Trial {
  /** Why it cannot be made on this machine, or false. */
  readonly missing: () => string | false;
  /** @throws Error when something was lost, doubled or not hit. */
  readonly run: () => Promise<TrialResult>;
}

/** The long trials, by name. */
export const TRIALS: Readonly<Record<string, Trial>> = {
  deaths: { missing: missingTemporal, run: () => storyWith(DEATHS) },
  zombies: { missing: missingTemporal, run: () => storyWith(SLEEPS) },
  temporal: { missing: missingOwnTemporal, run: () => storyWith(TEMPORAL_DEATHS, { isDurable: true }) },
  postgres: { missing: () => missingTemporal() || missingPostgres(), run: withPostgres },
  workers: { missing: missingTemporal, run: async () => ({ hits: [], summary: await hundredGranules() }) },
  webhook: {
    missing: missingTemporal,
    run: async () => ({
      summary: await announcedTwice(),
      hits: [{ act: "an announcement by webhook", step: "announce: held", mishap: "dies", happened: true }],
    }),
  },
};

/** The story with these misfortunes, held against the undisturbed one. */
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
