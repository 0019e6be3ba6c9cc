import { type CmrContext, lookAtCmr } from "../acquisition/index.ts";
import type { CmrActivities } from "../contract/index.ts";
import { datasetOfText } from "../dataset/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { withHeartbeat } from "./heartbeat.ts";

export interface CmrParts extends Pick<CmrContext, "announce"> {
  readonly ledger: Ledger;
}

/** The activities of the CMR workflow; the contract of each stands at `CmrActivities`. */
export function createCmrActivities({ ledger, announce }: CmrParts): CmrActivities {
  return {
    async searchCmr(name, at, since) {
      const datasets = (await ledger.datasets())
        .map(({ text }) => datasetOfText(text))
        .filter(({ source }) => source.name === name && source.cmr !== undefined);
      return withHeartbeat((onProgress, signal) =>
        lookAtCmr(at, since, { ledger, datasets, announce, signal, onProgress, now: Date.now }),
      );
    },
  };
}
