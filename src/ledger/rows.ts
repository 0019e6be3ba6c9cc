import type { Insertable, Selectable } from "kysely";
import { FreshetError } from "../errors/index.ts";
import { PUBLICATION_KINDS, type Publication, type PublicationKind } from "./ledger.ts";
import type { HistoryEntry, NameFields, Revision, RevisionFacts, RevisionState } from "./revision.ts";
import { factsOf, REVISION_STATES } from "./revision.ts";
import type { EventTable, PublicationTable, RevisionTable } from "./tables.ts";

/** @throws FreshetError `corrupt` when the row is not one that the ledger writes. */
export function revisionOfRow(row: Selectable<RevisionTable>): Revision {
  const path = `${row.dataset}/${row.key}`;
  return {
    dataset: row.dataset,
    key: row.key,
    identity: row.identity,
    state: stateOf(row.state, path),
    reason: row.reason,
    ...factsOf({
      uri: row.uri ?? undefined,
      size: row.size ?? undefined,
      etag: row.etag ?? undefined,
      lastModifiedMs: row.last_modified_ms ?? undefined,
      fields: row.fields === null ? undefined : (jsonOf(row.fields, path) as NameFields),
      scan: row.scan_uri === null || row.scan_sha256 === null ? undefined : { uri: row.scan_uri, sha256: row.scan_sha256 },
      epoch: row.epoch ?? undefined,
    }),
    heardMs: row.heard_ms,
    heardSeq: row.heard_seq,
    changedMs: row.changed_ms,
    changedSeq: row.changed_seq,
    ...(row.published_product === null || row.published_sequence === null
      ? {}
      : { published: { product: row.published_product, sequence: row.published_sequence } }),
  };
}

export function rowOfRevision(revision: Revision): Insertable<RevisionTable> {
  return {
    dataset: revision.dataset,
    key: revision.key,
    identity: revision.identity,
    state: revision.state,
    reason: revision.reason,
    uri: revision.uri ?? null,
    size: revision.size ?? null,
    etag: revision.etag ?? null,
    last_modified_ms: revision.lastModifiedMs ?? null,
    fields: revision.fields === undefined ? null : JSON.stringify(revision.fields),
    scan_uri: revision.scan?.uri ?? null,
    scan_sha256: revision.scan?.sha256 ?? null,
    heard_ms: revision.heardMs,
    heard_seq: revision.heardSeq,
    changed_ms: revision.changedMs,
    changed_seq: revision.changedSeq,
    published_product: revision.published?.product ?? null,
    published_sequence: revision.published?.sequence ?? null,
    epoch: revision.epoch ?? null,
  };
}

/** @throws FreshetError `corrupt` when the row is not one that the ledger writes. */
export function entryOfRow(row: Selectable<EventTable>): HistoryEntry {
  const path = `${row.dataset}/${row.key}`;
  return {
    dataset: row.dataset,
    key: row.key,
    identity: row.identity,
    seq: row.seq,
    state: stateOf(row.state, path),
    reason: row.reason,
    atMs: row.at_ms,
    facts: jsonOf(row.facts, path) as RevisionFacts,
    detail: jsonOf(row.detail, path) as Record<string, unknown>,
    ...(row.product === null || row.sequence === null ? {} : { publication: { product: row.product, sequence: row.sequence } }),
  };
}

export function publicationOfRow(row: Selectable<PublicationTable>): Publication {
  return {
    dataset: row.dataset,
    product: row.product,
    sequence: row.sequence,
    snapshot: row.snapshot,
    parent: row.parent ?? undefined,
    layoutHash: row.layout_hash,
    atMs: row.at_ms,
    granules: row.granules,
    message: row.message,
    kind: publicationKindOf(row),
  };
}

function stateOf(text: string, path: string): RevisionState {
  return oneOf(REVISION_STATES, text, "state", path);
}

function publicationKindOf({ dataset, product, sequence, kind }: Selectable<PublicationTable>): PublicationKind {
  return oneOf(PUBLICATION_KINDS, kind, "kind of publication", `${dataset}/${product} ${sequence}`);
}

function oneOf<Known extends string>(known: readonly Known[], text: string, what: string, path: string): Known {
  const found = known.find((one) => one === text);
  if (found !== undefined) return found;
  throw new FreshetError("corrupt", `the ledger holds an unknown ${what}`, {
    found: text,
    expected: known.join(", "),
    path,
    remedy: "Restore the ledger from its backup.",
  });
}

function jsonOf(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FreshetError("corrupt", "the ledger holds broken JSON", {
      found: text.slice(0, 80),
      path,
      remedy: "Restore the ledger from its backup.",
      cause,
    });
  }
}
