export type { BackupSummary } from "./backup-format.ts";
export { describeLedger, type LedgerDescription, type LedgerMigration, migrateLedger } from "./describe-ledger.ts";
export { canonicalJson, digestOf } from "./digest.ts";
export { revisionIdentity } from "./identity.ts";
export {
  type Alarm,
  type GivenUpRun,
  type GranuleQuery,
  type Heard,
  type Ledger,
  type Member,
  type MissingSource,
  PUBLICATION_KINDS,
  type Publication,
  type PublicationKind,
  type RaisedAlarm,
  type Recorded,
  type SourceObservation,
  type StoredDataset,
  type Template,
  type Traffic,
  type UnmatchedName,
} from "./ledger.ts";
export { openLedger } from "./open-ledger.ts";
export { restoreLedger } from "./restore-ledger.ts";
export {
  type EventDetail,
  EXPIRED,
  fieldsOfFile,
  type HeardRevision,
  type HistoryEntry,
  isExpired,
  type NameFields,
  REVISION_STATES,
  type Revision,
  type RevisionEvent,
  type RevisionFacts,
  type RevisionId,
  type RevisionState,
  type ScanReference,
} from "./revision.ts";
export { backUpLedger } from "./write-backup.ts";
