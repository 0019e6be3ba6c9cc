import type { Ledger, Publication, RevisionId, RevisionState } from "../../src/ledger/index.ts";

/** Opens an empty ledger; the caller closes it. */
export type LedgerFactory = (now: () => number) => Promise<Ledger>;

/** A fresh ledger for each test, with a clock that the test turns. */
export class LedgerBench {
  readonly #open: LedgerFactory;
  #ledger: Ledger | undefined;
  nowMs = 0;

  constructor(open: LedgerFactory) {
    this.#open = open;
  }

  async start(): Promise<void> {
    this.nowMs = 1_000_000;
    this.#ledger = await this.#open(() => this.nowMs);
  }

  get ledger(): Ledger {
    if (this.#ledger === undefined) throw new Error("no test is running");
    return this.#ledger;
  }

  readonly hear = (id: RevisionId) => this.ledger.hear({ ...id, uri: `https://agency/${id.key}`, fields: { valid: 5 } });

  readonly hearReady = async (id: RevisionId): Promise<void> => {
    await this.hear(id);
    await this.ledger.record({ ...id, state: "ready" });
  };

  readonly stateOf = async (id: RevisionId): Promise<RevisionState | undefined> => (await this.ledger.revision(id))?.state;
}

export function aRevision(id: Partial<RevisionId> = {}): RevisionId {
  return { dataset: "ostia", key: "20170605T120000Z", identity: "etag:1", ...id };
}

export function aPublication(publication: Partial<Publication> = {}): Publication {
  const sequence = publication.sequence ?? 1;
  return {
    dataset: "ostia",
    product: "timeseries",
    sequence,
    snapshot: `SNAPSHOT${sequence}`,
    parent: sequence === 1 ? undefined : `SNAPSHOT${sequence - 1}`,
    layoutHash: `hash-of-layout-${sequence}`,
    atMs: 1_000,
    granules: 1,
    message: `publication ${sequence}`,
    kind: "publication",
    ...publication,
  };
}
