import { type ListingContext, listSource } from "../acquisition/index.ts";
import type { ListingActivities } from "../contract/index.ts";
import { datasetOfText } from "../dataset/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { withHeartbeat } from "./heartbeat.ts";

export interface ListingParts extends Pick<ListingContext, "routes" | "announce"> {
  readonly ledger: Ledger;
}

/** The activities of the listing workflow; the contract of each stands at `ListingActivities`. */
export function createListingActivities({ ledger, routes, announce }: ListingParts): ListingActivities {
  return {
    async list(name, at) {
      const datasets = (await ledger.datasets())
        .map(({ text }) => datasetOfText(text))
        .filter(({ source }) => source.name === name && source.listing !== undefined);
      const sources = datasets.map(({ source }) => source);
      return withHeartbeat((onProgress, signal) =>
        listSource(sources, at, { ledger, datasets, routes, announce, signal, onProgress, now: Date.now }),
      );
    },
  };
}
