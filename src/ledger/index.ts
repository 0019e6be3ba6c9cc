export { canonicalJson, digestOf } from "./digest.ts";
export { revisionIdentity } from "./identity.ts";
export type { GranuleQuery, Heard, Ledger, Member, Publication, Recorded, StoredDataset, Template } from "./ledger.ts";
export { openLedger } from "./open-ledger.ts";
export {
  type EventDetail,
  type HeardRevision,
  type HistoryEntry,
  type NameFields,
  REVISION_STATES,
  type Revision,
  type RevisionEvent,
  type RevisionFacts,
  type RevisionId,
  type RevisionState,
  type ScanReference,
} from "./revision.ts";
