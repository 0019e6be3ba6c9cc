import { meantGranules, newestRevision } from "../acquisition/index.ts";
import type { Announcement, BackfillSearch, DatasetReference, ErrandActivities } from "../contract/index.ts";
import { FreshetError } from "../errors/index.ts";
import type { Ledger } from "../ledger/index.ts";
import type { DatasetFiles } from "./dataset-files.ts";
import { withHeartbeat } from "./heartbeat.ts";

export interface ErrandParts {
  readonly ledger: Ledger;
  readonly files: DatasetFiles;
  /** Announces a granule to one dataset; answers the ids of the workflows that have it. */
  readonly announceTo: (dataset: string, announcement: Announcement) => Promise<readonly string[]>;
  /** Starts a backfill, and answers its workflow's id. */
  readonly startBackfill: (
    dataset: DatasetReference,
    uris: readonly string[] | BackfillSearch,
    how: { readonly window: number; readonly again: boolean },
  ) => Promise<string>;
}

const WINDOW = 100;
const MOST_WINDOW = 1_000;
const SOURCES = ["names", "listing", "cmr"];

/** The activities of what operators have done by the way; the contract of each stands at `ErrandActivities`. */
export function createErrandActivities({ ledger, files, announceTo, startBackfill }: ErrandParts): ErrandActivities {
  return {
    async replay({ name }, { granule }) {
      const { uri } = await newestRevision(ledger, name, granule);
      const [workflowId] = await announceTo(name, { uri, by: "replay", heardMs: Date.now() });
      if (workflowId !== undefined) return { workflowId, uri };
      throw new FreshetError("usage", "the dataset file that is in force does not know this place and name", { found: uri });
    },

    async backfill(reference, { from, to, source = "names", window = WINDOW, again = false }) {
      // From a person's hand: a path would have this worker read a file of his.
      requireOne("source", source, SOURCES.includes(source), SOURCES.join(", "));
      const isWindow = Number.isSafeInteger(window) && window >= 1 && window <= MOST_WINDOW;
      requireOne("window", window, isWindow, `a whole number from 1 to ${MOST_WINDOW}`);
      const dataset = await files.get(reference);
      return withHeartbeat(async () => {
        const uris = await meantGranules(dataset, { from, to, source });
        return { workflowId: await startBackfill(reference, uris, { window, again: again === true }) };
      });
    },
  };
}

function requireOne(what: string, found: unknown, isGood: boolean, expected: string): void {
  if (!isGood) throw new FreshetError("usage", `the backfill's ${what} is none`, { found: String(found), expected });
}
