import type { DatasetReference, ProductTrouble, PublicationPlan, PublicationResult } from "../contract/index.ts";
import type { Dataset, Product } from "../dataset/index.ts";
import { FreshetError, isFreshetError } from "../errors/index.ts";
import { type AnnounceAgain, setAside } from "./set-aside.ts";
import type { Tick } from "./turn.ts";
import { TurnMaker, type TurnParts } from "./turn-maker.ts";
import { TurnWriter } from "./turn-writer.ts";

export interface PublisherParts extends TurnParts {
  readonly now: () => number;
  readonly announceAgain?: AnnounceAgain | undefined;
}

/**
 * Turns what the ledger says is ready into a published version. `plan` only looks; `publish` does it. Both may run twice, at
 * any time, beside their own zombies: a publication is known by (product, sequence, parent, layout hash), and only the one
 * that finds its parent still published becomes visible.
 */
export class Publisher {
  readonly #maker: TurnMaker;
  readonly #writer: TurnWriter;
  readonly #parts: PublisherParts;

  constructor(parts: PublisherParts) {
    this.#maker = new TurnMaker(parts);
    this.#writer = new TurnWriter(parts);
    this.#parts = parts;
  }

  /**
   * What the next publication of each product would change; nothing for a product that is as it should be; the reason for one
   * that cannot go on until somebody does something, which does not keep the others back.
   * @throws FreshetError `storage`, `unreachable`: worth trying again as a whole.
   */
  async plan(dataset: Dataset): Promise<(PublicationPlan | ProductTrouble)[]> {
    const plans = await Promise.all(
      dataset.products.map(async (product) => {
        try {
          return (await this.#maker.next(dataset, product))?.plan;
        } catch (error) {
          if (!(error instanceof FreshetError) || isFreshetError(error, "storage", "unreachable")) throw error;
          return { product: product.name, kind: (error as FreshetError).kind, trouble: (error as FreshetError).message };
        }
      }),
    );
    return plans.filter((plan) => plan !== undefined);
  }

  /**
   * Carries out a plan, or what is left of it to do.
   * @throws FreshetError `conflict` when the ledger or the store has moved on: the plan is void, make another.
   */
  async publish(reference: DatasetReference, dataset: Dataset, plan: PublicationPlan, tick: Tick): Promise<PublicationResult> {
    const product = productOf(dataset, plan.product);
    const turn = await this.#maker.next(dataset, product, plan.cursor);
    if (turn === undefined) return this.#alreadyDone(dataset, plan);
    const header = turn.state.stored?.header;
    // An earlier attempt got that far: it is visible, and the ledger is to be told.
    const isVisible =
      turn.plan.unchanged &&
      header?.sequence === plan.sequence &&
      header.parent === plan.parent &&
      header.layoutHash === plan.layoutHash;
    if (!isVisible) requireSamePlan(turn.plan, plan);
    const { version, granules, atMs } = await this.#writer
      .publish(reference, dataset, product, turn, tick)
      .catch(async (error: unknown) => {
        throw (await setAside(error, turn, dataset, this.#parts)) ?? error;
      });
    const changed = plan.added + plan.replaced + plan.removed;
    return { product: plan.product, sequence: plan.sequence, version, granules, changed, atMs };
  }

  async #alreadyDone(dataset: Dataset, plan: PublicationPlan): Promise<PublicationResult> {
    const done = (await this.#parts.ledger.publications(dataset.name, plan.product, 50)).find(
      (publication) => publication.sequence === plan.sequence && publication.layoutHash === plan.layoutHash,
    );
    if (done === undefined) throw new FreshetError("conflict", "the plan was overtaken", { expected: plan.layoutHash });
    const { sequence, snapshot, granules, atMs } = done;
    const changed = plan.added + plan.replaced + plan.removed;
    return { product: plan.product, sequence, version: snapshot, granules, changed, atMs };
  }
}

/** @throws FreshetError `conflict` where the dataset file has no such product any more. */
export function productOf(dataset: Dataset, name: string): Product {
  const product = dataset.products.find((candidate) => candidate.name === name);
  if (product !== undefined) return product;
  throw new FreshetError("conflict", "the dataset has no such product", {
    found: name,
    expected: dataset.products.map((candidate) => candidate.name).join(", "),
  });
}

function requireSamePlan(now: PublicationPlan, plan: PublicationPlan): void {
  const idOf = ({ sequence, parent, layoutHash, unchanged }: PublicationPlan): string =>
    `#${sequence} on ${parent}, layout ${layoutHash}${unchanged ? ", unchanged" : ""}`;
  if (idOf(now) === idOf(plan)) return;
  throw new FreshetError("conflict", "the plan was overtaken", { found: idOf(now), expected: idOf(plan) });
}
