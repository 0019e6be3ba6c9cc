import type { DatasetReference } from "../contract/index.ts";
import type { Dataset, Product } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import { granulesIn, isOfOne, type StateHeader, type StoredState } from "../products/index.ts";
import { reached } from "../steps/index.ts";
import { ChangeParts } from "./change-parts.ts";
import { publicationMessage } from "./publication-message.ts";
import { tellLedger } from "./tell-ledger.ts";
import type { Tick, Turn } from "./turn.ts";
import type { TurnParts } from "./turn-maker.ts";
import { verifyStaged } from "./verify-staged.ts";

export interface Written {
  readonly version: string;
  readonly granules: number;
  readonly atMs: number;
}

/** A turn whose change is written and verified, where it has one. */
export interface Prepared {
  readonly turn: Turn;
  readonly message: string;
  readonly staged: { readonly version: string; readonly stored: StoredState } | undefined;
}

/** Carries turns out: stage → look at it → compare-and-swap → tell the ledger. */
export class TurnWriter {
  readonly #parts: TurnParts & { readonly now: () => number };

  constructor(parts: TurnParts & { readonly now: () => number }) {
    this.#parts = parts;
  }

  /** Publishes a turn: `prepare`, then `complete`. */
  async publish(reference: DatasetReference, dataset: Dataset, product: Product, turn: Turn, tick: Tick): Promise<Written> {
    return this.complete(dataset, product, await this.prepare(reference, dataset, product, turn, tick), tick);
  }

  /**
   * Writes and verifies what a turn changes, where nobody sees it. One that is `unchanged` changes nothing.
   * @throws FreshetError `corrupt` when the new version does not hold what it should.
   */
  async prepare(reference: DatasetReference, dataset: Dataset, product: Product, turn: Turn, tick: Tick): Promise<Prepared> {
    if (turn.plan.unchanged) return { turn, message: "", staged: undefined };
    const message = messageOf(reference, turn);
    return { turn, message, staged: await this.#stage(reference, dataset, product, turn, message, tick) };
  }

  /**
   * Makes what was prepared visible and tells the ledger; where nothing was, the ledger alone.
   * @throws FreshetError `conflict` when somebody else published meanwhile.
   */
  async complete(dataset: Dataset, product: Product, { turn, message, staged }: Prepared, tick: Tick): Promise<Written> {
    const { state, plan, wanted } = turn;
    const granules = granulesIn(wanted.epochs);
    let version = state.head;
    let told: { parent: string | undefined; message: string } = { parent: undefined, message: "" };
    if (staged !== undefined) {
      version = staged.version;
      tick("publishing");
      await state.store.publish(plan.parent, version);
      reached("publish: swapped");
      await this.#parts.stores.advance(dataset, product, version, staged.stored);
      told = { parent: plan.parent, message };
    } else if (!turn.isOnRecord && state.stored !== undefined) {
      const [newest] = await state.store.versions(1);
      told = { parent: state.stored.header.parent, message: newest?.message ?? "" };
    }
    tick("recording");
    reached("publish: before the ledger");
    const atMs = this.#parts.now();
    await tellLedger(this.#parts.ledger, dataset.name, turn, {
      version,
      kind: plan.kind,
      atMs,
      granules,
      ...told,
    });
    reached("publish: ledger told");
    return { version, granules, atMs };
  }

  /** Writes and verifies a version that nobody sees. */
  async candidate(reference: DatasetReference, dataset: Dataset, product: Product, turn: Turn, tick: Tick): Promise<Written> {
    const message = `candidate, not published: ${messageOf(reference, turn)}`;
    const { version } = await this.#stage(reference, dataset, product, turn, message, tick);
    return { version, granules: granulesIn(turn.wanted.epochs), atMs: this.#parts.now() };
  }

  async #stage(
    reference: DatasetReference,
    dataset: Dataset,
    product: Product,
    turn: Turn,
    message: string,
    tick: Tick,
  ): Promise<{ version: string; stored: StoredState }> {
    const { state, plan, wanted } = turn;
    const isFresh = turn.isFresh === true || isOfOne(product);
    const { store } = state;
    const header: Omit<StateHeader, "epochs" | "layoutHash"> = {
      format: 2,
      product: product.name,
      dataset: { name: reference.name, hash: reference.hash },
      sequence: plan.sequence,
      parent: plan.parent,
      kind: plan.kind,
      ...(turn.request === undefined ? {} : { request: turn.request }),
      cursor: plan.cursor,
      prefixes: state.prefixes,
      ...(state.s3 === undefined ? {} : { s3: state.s3 }),
      ...(turn.hold === undefined ? {} : { hold: turn.hold }),
    };
    const parts = new ChangeParts({ scans: this.#parts.scans, dataset, product, epochs: wanted.epochs, header, isFresh, tick });
    reached("publish: before flush");
    const version = await store.stage(plan.parent, parts, message, () => tick("writing"), { fresh: isFresh });
    reached("publish: after flush");
    if (parts.header === undefined) throw new FreshetError("corrupt", "a publication was written without its state");
    tick("verifying");
    const stored: StoredState = {
      header: parts.header,
      epochs: parts.header.epochs.map((epoch, index) => ({
        header: epoch,
        layout: (wanted.epochs[index] as (typeof wanted.epochs)[number]).layout,
      })),
    };
    await verifyStaged({ store, version, dataset, product, turn, parts, tick });
    reached("publish: verified");
    return { version, stored };
  }
}

function messageOf(reference: DatasetReference, turn: Turn): string {
  const { hold } = turn;
  const words = hold === undefined ? "" : `; shows #${hold.sequence} again until it is released (${hold.by}: ${hold.reason})`;
  return publicationMessage(reference, turn.plan, turn, words);
}
