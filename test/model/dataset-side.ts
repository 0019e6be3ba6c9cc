import assert from "node:assert/strict";
import type { Operation, OperationResult, PublicationPlan } from "../../src/contract/index.ts";
import { FreshetError, isFreshetError } from "../../src/errors/index.ts";
import type { Death } from "./commands.ts";
import { Died, mortal } from "./dying.ts";
import type { Bounds, Content, Turn } from "./model.ts";
import type { Scene } from "./scene.ts";
import { KEPT_VERSIONS } from "./system.ts";

/** A version that was published. */
export interface Version {
  readonly sequence: number;
  readonly id: string;
  readonly content: Content;
  mayHaveExpired: boolean;
}

/** What an operation should come to. */
export interface Expected {
  /** What it writes; undefined where there is nothing to write, or it has to be refused. */
  readonly turn?: Turn | undefined;
  readonly isPublished?: boolean;
  /** Kinds of errors that are right; then nothing has changed. One has to come where there is no turn. */
  readonly refusals: readonly string[];
}

export interface Request {
  readonly operation: Operation;
  /** Asked when it is carried out: things may have happened since it was asked for. */
  readonly expect: () => Expected;
  /** Bounds of the calendar in the dataset file that comes with it. */
  readonly bounds?: Bounds;
  readonly death: Death | undefined;
}

interface Plan {
  readonly plan: PublicationPlan;
  /** The model's last event when it was made. */
  readonly upTo: number;
}

/** Where a version is visible already. */
const VISIBLE = ["publish: swapped", "publish: before the ledger", "publish: ledger half told"];
/** Where the ledger knows of it. */
const TOLD = ["publish: ledger told", "change: products switched"];

/** What the dataset's workflow does, one thing after the other: publications, and what operators ask for. */
export class DatasetSide {
  readonly #scene: Scene;
  readonly versions: Version[] = [];
  /** Its process died, and it is tried again before anything else. */
  #unfinished: (() => Promise<void>) | undefined;
  /** The request that the newest version answers, while it may be tried again. */
  #answered: string | undefined;
  #oldPlan: Plan | undefined;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  async finish(): Promise<void> {
    const unfinished = this.#unfinished;
    this.#unfinished = undefined;
    await unfinished?.();
  }

  /** Plans and publishes until nothing is left to do. */
  async settle(death?: Death): Promise<void> {
    await this.finish();
    for (let turn = 0; turn < 8; turn++) {
      const plan = await this.#nextPlan();
      if (plan === undefined) return;
      const isDone = await this.#publish(plan, false, turn === 0 ? death : undefined);
      if (!isDone || this.#unfinished !== undefined) return;
    }
    assert.fail("it does not come to rest");
  }

  async plan(): Promise<void> {
    await this.finish();
    this.#oldPlan = await this.#nextPlan();
  }

  /** As a zombie does: its plan may have been carried out since, or be void. */
  async publishOldPlan(death?: Death): Promise<void> {
    await this.finish();
    const plan = this.#oldPlan;
    this.#oldPlan = undefined;
    if (plan !== undefined) await this.#publish(plan, true, death);
  }

  async operate(request: Request): Promise<void> {
    await this.finish();
    await this.#carryOut(request, `request ${this.#scene.next()}`, request.death);
  }

  /** The newest version is what the model says. */
  async compareHead(): Promise<void> {
    const { model, system } = this.#scene;
    if (model.content === undefined) return;
    const head = await system.head();
    assert.equal(head, this.versions.at(-1)?.id);
    await this.#scene.compareVersion(head, model.content, this.#scene.isTurn(5));
  }

  /** Whether what is to be written has sources that are not what they were. */
  isStale(turn: Turn | undefined): boolean {
    if (this.#scene.system.keeping !== "in place") return false;
    return (turn?.content ?? []).some(({ at }) => at.values().some(({ bytes }) => !bytes.isThere));
  }

  /** The one plan that there should be, if there should be one. */
  async #nextPlan(): Promise<Plan | undefined> {
    const { model, system } = this.#scene;
    const plans = await system.plan();
    const [plan] = plans;
    if (model.untold === undefined && model.isHeld) {
      assert.ok(plan !== undefined && "trouble" in plan && plan.kind === "held", JSON.stringify(plans));
      return undefined;
    }
    const isAwaited = model.untold !== undefined || model.next() !== undefined;
    assert.equal(plans.length, isAwaited ? 1 : 0, JSON.stringify(plans));
    if (plan === undefined) return undefined;
    if ("trouble" in plan) assert.fail(`trouble: ${plan.trouble}`);
    return { plan, upTo: model.seq };
  }

  /** Answers false where it came to nothing. */
  async #publish(planned: Plan, isOld: boolean, death?: Death): Promise<boolean> {
    const { model, system } = this.#scene;
    const { plan, upTo } = planned;
    const isTold = model.untold === undefined;
    const turn = model.untold ?? (model.isHeld ? undefined : model.next(upTo));
    const before = await system.head();
    let result: Awaited<ReturnType<typeof system.publish>> | Died;
    try {
      result = await mortal(death?.atStep, () => system.publish(plan));
    } catch (error) {
      assert.equal(await system.head(), before);
      if (isFreshetError(error, "conflict") && /quarantine before they were published/.test(`${error}`))
        return this.#setAside(turn);
      if (isFreshetError(error, "source-changed") && this.isStale(turn)) {
        // An earlier beginning writes everything anew, and what stands there has another source by now.
        this.#scene.count("held up: the source of what stands has changed");
        return false;
      }
      if (!isOld || !isFreshetError(error, "conflict", "held")) throw error;
      this.#scene.count("old plan refused");
      return false;
    }
    const after = await system.head();
    if (after !== before || (isTold && turn?.makesVersion === false && isDone(result))) {
      assert.ok(turn !== undefined && isTold, "a version that nobody asked for");
      assert.equal(after !== before, turn.makesVersion);
      await this.#swap(turn, plan.sequence);
    } else if (!(result instanceof Died)) assert.ok(isOld || !isTold, "no version was made");
    if (result instanceof Died) {
      await this.#died(result, death as Death, async () => {
        await this.#publish(planned, true);
      });
      return true;
    }
    if (after !== before) this.#scene.count("published");
    if (!isOld) assert.equal(result.version, after);
    model.tell();
    await this.compareHead();
    return true;
  }

  /** What was replaced before it was published is nobody's any more; the others go on without it. */
  #setAside(turn: Turn | undefined): boolean {
    const stale = turn?.arrivals.filter(({ state, bytes }) => state === "ready" && !bytes.isThere) ?? [];
    assert.ok(stale.length > 0 && this.#scene.system.keeping === "in place");
    for (const revision of stale) this.#scene.model.move(revision, "quarantined");
    this.#scene.count("set aside: its source has changed");
    return true;
  }

  async #carryOut(request: Request, id: string, death: Death | undefined): Promise<void> {
    const { model, system } = this.#scene;
    const { operation, bounds } = request;
    const dataset = bounds === undefined ? system.dataset : system.datasetWith(bounds);
    const isAnswered = this.#answered === id;
    const isOwed = model.untold !== undefined;
    // What readers see is on record before anything else is published.
    if (!isAnswered && operation.kind !== "upkeep") model.tell();
    const expected: Expected = isAnswered ? { refusals: [] } : request.expect();
    const before = await system.head();
    let result: OperationResult | Died;
    try {
      result = await mortal(isOwed ? undefined : death?.atStep, () => system.operate(id, operation, dataset));
    } catch (error) {
      if (!(error instanceof FreshetError) || !expected.refusals.includes(error.kind)) throw error;
      this.#scene.count(`refused: ${operation.kind}, ${error.kind}`);
      assert.equal(await system.head(), before);
      return;
    }
    const after = await system.head();
    if (after !== before) {
      assert.ok(expected.turn !== undefined && expected.isPublished === true, "a version that nobody asked for");
      await this.#swap(expected.turn, this.versions.length + 1);
      this.#answered = id;
    }
    if (result instanceof Died) return this.#died(result, death as Death, () => this.#carryOut(request, id, undefined));
    if (operation.kind !== "upkeep") model.tell();
    if (isAnswered) assert.equal(result.version, after);
    else await this.#checkResult(result, expected, before, after);
    if (bounds !== undefined) {
      model.bounds = bounds;
      system.dataset = dataset;
    }
    await this.compareHead();
  }

  async #checkResult(
    result: OperationResult,
    { turn, isPublished = false, refusals }: Expected,
    before: string,
    after: string,
  ): Promise<void> {
    const what = JSON.stringify(result);
    assert.ok(turn !== undefined || refusals.length === 0, `it should have been refused (${refusals}): ${what}`);
    assert.equal(result.isPublished, isPublished && turn !== undefined, what);
    assert.equal(after !== before, result.isPublished, what);
    if (turn === undefined) return;
    this.#scene.count(`${isPublished ? "done" : "tried"}: ${result.kind}`);
    if (isPublished) assert.equal(result.version, after, what);
    else await this.#scene.compareVersion(result.version as string, turn.content, false);
  }

  async #swap(turn: Turn, sequence: number): Promise<void> {
    this.#scene.model.swap(turn);
    if (!turn.makesVersion) return;
    assert.equal(sequence, this.versions.length + 1);
    this.versions.push({ sequence, id: await this.#scene.system.head(), content: turn.content, mayHaveExpired: false });
  }

  async #died({ step }: Died, death: Death, again: () => Promise<void>): Promise<void> {
    const { model, system } = this.#scene;
    this.#scene.count(`died: ${step}`);
    if (model.untold !== undefined) assert.ok([...VISIBLE, ...TOLD].includes(step) || step.startsWith("upkeep"), step);
    if (TOLD.includes(step)) model.tell();
    await system.restart({ ledger: this.#scene.isTurn(3) });
    await this.compareHead();
    // Which half of the ledger's rows are there is nobody's business but that of the next attempt.
    if (death.next === "now" || step === "publish: ledger half told") await again();
    else if (death.next === "later") this.#unfinished = again;
  }

  /** Versions that upkeep may let go from now on. */
  expireOld(): void {
    for (const version of this.versions.slice(0, -KEPT_VERSIONS)) version.mayHaveExpired = true;
  }
}

/** It got as far as the ledger. */
function isDone(result: unknown): boolean {
  return !(result instanceof Died) || [...VISIBLE, ...TOLD].includes(result.step);
}
