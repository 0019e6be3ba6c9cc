import type { Candidate, Change, Operation, OperationResult, Rebuild, Release, Rollback, Upkeep } from "../contract/index.ts";
import { canonicalDataset, type Dataset, type Product } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import { standingRow } from "../products/index.ts";
import { reached } from "../steps/index.ts";
import { expireGranules, isFrontLong } from "./expire.ts";
import type { Request } from "./operation-request.ts";
import { requestOf } from "./publication-message.ts";
import { productOf } from "./publisher.ts";
import { rangeAnew } from "./range-anew.ts";
import { tidyStores } from "./tidy-stores.ts";
import type { Turn } from "./turn.ts";
import { TurnMaker, type TurnParts } from "./turn-maker.ts";
import { type Prepared, TurnWriter, type Written } from "./turn-writer.ts";
import { countsOf } from "./wanted.ts";

/** Among so many of a product's newest publications an attempt that comes late finds the one that answered its request. */
const REMEMBERED_PUBLICATIONS = 10_000;

/** What operators ask of products: each is a publication of its own, forward, by the same way as any other. */
export class Operator {
  readonly #maker: TurnMaker;
  readonly #writer: TurnWriter;
  readonly #parts: TurnParts & { readonly now: () => number };

  constructor(parts: TurnParts & { readonly now: () => number }) {
    this.#parts = parts;
    this.#maker = new TurnMaker(parts);
    this.#writer = new TurnWriter(parts);
  }

  /** @throws FreshetError with the reason when it cannot be done; then nothing has changed. */
  async carryOut(request: Request, operation: Operation): Promise<readonly OperationResult[]> {
    if (operation.kind !== "upkeep") await this.#bringOnRecord(request);
    switch (operation.kind) {
      case "rollback":
        return [await this.rollback(request, operation)];
      case "release":
        return [await this.release(request, operation)];
      case "rebuild":
        return [await this.rebuild(request, operation)];
      case "candidate":
        return [await this.candidate(request, operation)];
      case "upkeep":
        return this.upkeep(request, operation);
      case "change":
        return this.change(request, operation);
    }
  }

  /** Shows an earlier version again, and holds the product. @throws FreshetError `usage` for one that there is not. */
  async rollback(request: Request, asked: Rollback): Promise<OperationResult> {
    const product = chosenProduct(request.dataset, asked.product);
    const done = await this.#done(request, product, "rollback");
    if (done !== undefined) return done;
    const { sequence, snapshot } = await this.#target(request.dataset, product, asked.to);
    const turn = await this.#maker.again(request.dataset, product, snapshot);
    const hold = { sequence, reason: asked.reason ?? "", by: asked.by ?? "", sinceMs: this.#parts.now() };
    return this.#carryOut(request, product, { ...turn, hold }, "rollback", asked.dryRun === true, turn.notes ?? []);
  }

  /** Ends a hold: the product is again what the ledger says. @throws FreshetError `usage` for one that nobody holds. */
  async release(request: Request, asked: Release): Promise<OperationResult> {
    const product = chosenProduct(request.dataset, asked.product);
    const done = await this.#done(request, product, "release");
    if (done !== undefined) return done;
    const turn = await this.#maker.anew(request.dataset, product, "release", request.tick);
    if (turn.state.stored?.header.hold === undefined)
      throw new FreshetError("usage", "nobody holds this product", { found: product.name });
    requireNothingLost(turn);
    return this.#carryOut(request, product, turn, "release", false, []);
  }

  /** Writes the product, or a range of it, anew. */
  async rebuild(request: Request, asked: Rebuild): Promise<OperationResult> {
    const { dataset, tick } = request;
    const product = chosenProduct(dataset, asked.product);
    const done = await this.#done(request, product, "rebuild");
    if (done !== undefined) return done;
    const isRange = asked.from !== undefined || asked.to !== undefined;
    if (isRange) {
      const { turn, notes } = await rangeAnew(this.#maker, this.#parts, request, product, asked);
      if (turn === undefined) return nothingDone(product, "rebuild", notes);
      return this.#carryOut(request, product, turn, "rebuild", asked.dryRun === true, notes);
    }
    const turn = await this.#maker.anew(dataset, product, "rebuild", tick, asked.limit);
    const isTrial = asked.dryRun === true || asked.limit !== undefined;
    const notes = asked.limit === undefined ? [] : [`a trial with ${asked.limit} granules at most: it is not published`];
    if (turn.wanted.epochs.length === 0) return nothingDone(product, "rebuild", ["there is no granule to build it from"]);
    requireNothingLost(turn);
    return this.#carryOut(request, product, withHold(turn), "rebuild", isTrial, notes);
  }

  /** The next version, written and verified, and seen by nobody. */
  async candidate(request: Request, asked: Candidate): Promise<OperationResult> {
    const product = chosenProduct(request.dataset, asked.product);
    const turn = await this.#maker.next(request.dataset, product);
    if (turn === undefined || turn.plan.unchanged) return nothingDone(product, "candidate", ["there is nothing to publish"]);
    return this.#carryOut(request, product, turn, "candidate", true, []);
  }

  /** Rebuilds products aside by another dataset file, which becomes the current one when all of them have been switched. */
  async change(request: Request, asked: Change): Promise<OperationResult[]> {
    const results: OperationResult[] = [];
    const prepared: { product: Product; prepared: Prepared }[] = [];
    for (const name of asked.rebuild) {
      const product = productOf(request.dataset, name);
      const done = await this.#done(request, product, "change");
      if (done !== undefined) {
        results.push(done);
        continue;
      }
      const turn = withHold(await this.#maker.anew(request.dataset, product, "rebuild", request.tick));
      requireNothingLost(turn);
      if (turn.wanted.epochs.length === 0) results.push(nothingDone(product, "change", ["there is no granule to build it from"]));
      else {
        const { reference, dataset, tick, id } = request;
        prepared.push({
          product,
          prepared: await this.#writer.prepare(reference, dataset, product, { ...turn, request: id }, tick),
        });
      }
    }
    // All of them are there before the first one is switched.
    reached("change: products prepared");
    for (const { product, prepared: each } of prepared) {
      const { version, granules } = await this.#writer.complete(request.dataset, product, each, request.tick);
      const { sequence } = each.turn.plan;
      results.push({
        product: product.name,
        kind: "change",
        version,
        sequence,
        granules,
        changed: granules,
        isPublished: true,
        notes: [],
      });
    }
    reached("change: products switched");
    await this.#parts.ledger.putDataset(canonicalDataset(request.dataset));
    return results;
  }

  /** Lets expire what is no longer kept, cuts off what that has left in front, and tidies the stores. */
  async upkeep(request: Request, asked: Upkeep): Promise<OperationResult[]> {
    const { dataset, tick } = request;
    const isDryRun = asked.dryRun === true;
    const expired = await expireGranules(this.#parts, dataset, tick, isDryRun);
    const notes = expired.length === 0 ? [] : [`${expired.length} granules ${isDryRun ? "would expire" : "expired"}`];
    if (!isDryRun) {
      for (const product of dataset.products) {
        if (product.keep?.front !== "cut" || (asked.product ?? product.name) !== product.name) continue;
        notes.push(...(await this.#cutFront(request, product)));
      }
    }
    const tidied = await tidyStores(this.#parts, request, asked);
    return tidied.map((result) => ({ ...result, notes: [...notes, ...result.notes] }));
  }

  /** Writes a product anew of which more has expired than is left; answers what was done, in words. */
  async #cutFront(request: Request, product: Product): Promise<string[]> {
    const { dataset } = request;
    const state = await this.#maker.stateOf(dataset, product);
    if (!isFrontLong(state.stored) || state.stored?.header.hold !== undefined) return [];
    await this.#bringOnRecord(request);
    const { granules, sequence } = await this.rebuild(request, { product: product.name });
    return [`${product.name}: positions of what has expired are cut off, ${granules} granules written anew (#${sequence})`];
  }

  async #target(
    dataset: Dataset,
    product: Product,
    to: number | string,
  ): Promise<{ readonly sequence: number; readonly snapshot: string }> {
    const known = await this.#parts.ledger.publications(dataset.name, product.name, 100_000);
    const found = known.find(({ sequence, snapshot }) => sequence === Number(to) || snapshot === to);
    if (found !== undefined) return found;
    throw new FreshetError("usage", "the product has no such version", {
      found: String(to),
      expected: known.length === 0 ? "none is published" : `#${known.at(-1)?.sequence} to #${known[0]?.sequence}`,
      remedy: "freshet versions DATASET shows them",
    });
  }

  /** What readers see already is on record before anything else is written: who wrote it may have died before he said so. */
  async #bringOnRecord({ reference, dataset, tick }: Request): Promise<void> {
    for (const product of dataset.products) {
      const turn = await this.#maker.leftOver(dataset, product);
      if (turn !== undefined) await this.#writer.publish(reference, dataset, product, turn, tick);
    }
  }

  /** An earlier attempt at the same request got as far as readers, and is on record; others may have come after it. */
  async #done({ dataset, id }: Request, product: Product, kind: OperationResult["kind"]): Promise<OperationResult | undefined> {
    const published = await this.#parts.ledger.publications(dataset.name, product.name, REMEMBERED_PUBLICATIONS);
    const done = published.find(({ message }) => requestOf(message) === id);
    if (done === undefined) return undefined;
    const { snapshot: version, sequence, granules } = done;
    return { product: product.name, kind, version, sequence, granules, changed: 0, isPublished: true, notes: [] };
  }

  async #carryOut(
    request: Request,
    product: Product,
    turn: Turn,
    kind: OperationResult["kind"],
    isDryRun: boolean,
    notes: readonly string[],
  ): Promise<OperationResult> {
    const { reference, dataset, tick, id } = request;
    const asked: Turn = { ...turn, request: id };
    const written: Written = isDryRun
      ? await this.#writer.candidate(reference, dataset, product, asked, tick)
      : await this.#writer.publish(reference, dataset, product, asked, tick);
    const { added, replaced, removed } = countsOf(turn.wanted.epochs);
    const { version, granules } = written;
    const changed = turn.isFresh === true ? granules : added + replaced + removed;
    return {
      product: product.name,
      kind,
      version,
      sequence: turn.plan.sequence,
      granules,
      changed,
      isPublished: !isDryRun,
      notes,
    };
  }
}

/** A rebuild under a hold shows what it is held at no longer, so it is refused; anything else keeps no hold. */
function withHold(turn: Turn): Turn {
  const header = turn.state.stored?.header;
  if (header?.hold === undefined) return turn;
  throw new FreshetError("held", "the product is held at an earlier version", {
    found: `#${header.hold.sequence}`,
    remedy: "Release it first (freshet release DATASET): that writes what the ledger says",
  });
}

/** What is published, or stands there now, must have a place in what is built: never half. */
function requireNothingLost({ wanted, state, arrivals }: Turn): void {
  const published = new Set(arrivals.filter(({ state: now }) => now === "published").map(({ key }) => key));
  const lost = wanted.rejected.filter(
    ({ arrival }) => published.has(arrival.key) || standingRow(state.stored, arrival.key)?.identity === arrival.identity,
  );
  const [first] = lost;
  if (first === undefined) return;
  throw new FreshetError("dataset-file", "granules that are published would have no place in the rebuilt product", {
    found: `${lost.length}, the first ${first.arrival.key}: ${first.reason}`,
    remedy: "Change the calendar, or skip these granules first",
  });
}

function nothingDone(product: Product, kind: OperationResult["kind"], notes: readonly string[]): OperationResult {
  return { product: product.name, kind, version: undefined, sequence: 0, granules: 0, changed: 0, isPublished: false, notes };
}

/** The product that is meant. @throws FreshetError `usage` when it is not clear which. */
function chosenProduct(dataset: Dataset, name: string | undefined): Product {
  const [only, ...more] = dataset.products;
  if (name !== undefined) return productOf(dataset, name);
  if (only !== undefined && more.length === 0) return only;
  throw new FreshetError("usage", "the dataset has several products", {
    found: dataset.products.map((product) => product.name).join(", "),
    expected: "one of them (--product)",
  });
}
