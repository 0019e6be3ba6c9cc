import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { Operation } from "../../../src/contract/index.ts";
import { type Dataset, type ForecastProduct, parseDatasetFile } from "../../../src/dataset/index.ts";
import type { RevisionId } from "../../../src/ledger/index.ts";
import { describeLead, runName } from "../../../src/products/index.ts";
import { buildAsOf, Operator, ProductStores, publicationAsOf } from "../../../src/publication/index.ts";
import { granuleBytes } from "../../products/made-granule.ts";
import { Workshop } from "../../publication/workshop.ts";
import { Died, mortal } from "../dying.ts";
import type { Dice } from "./dice.ts";
import type { Declared } from "./forecast-file.ts";
import { ForecastModel, type ModelCell, type ModelGranule, type ModelLine } from "./forecast-model.ts";
import type { Sequence } from "./play-views.ts";
import { readView, type SeenView, viewsIn } from "./read-view.ts";

const HOUR_MS = 3_600_000;
/** Steps of a publication at which a process may die. */
const MOST_STEPS = 12;

interface Moment {
  readonly atMs: number;
  readonly sequence: number;
  readonly standing: readonly ModelGranule[];
}

/**
 * Plays a sequence against real files, scans, ledger and Icechunk store: after every publication each view, as a reader finds it, is the
 * model's; in the end also the dataset as of earlier moments. Publications die at any step and are made by another process.
 */
export async function playStore({ declared, events }: Sequence, dice: Dice, tally: Map<string, number>): Promise<void> {
  const system = await StoredForecast.start(declared);
  const count = (what: string): void => void tally.set(what, (tally.get(what) ?? 0) + 1);
  const model = new ForecastModel(declared);
  const moments: Moment[] = [];
  try {
    const publish = async (): Promise<void> => {
      if (await system.publish(dice.chance(0.3) ? dice.below(MOST_STEPS) : undefined)) count("store: died");
      await system.compare(model);
      const sequence = await system.sequence();
      await sleep(2);
      if (sequence > 0) moments.push({ atMs: Date.now(), sequence, standing: model.standing });
      await sleep(2);
    };
    for (const event of events) {
      count(`store: ${event.do}`);
      switch (event.do) {
        case "arrive":
          if (!model.hasPlace(event.granule)) break;
          await system.take(event.granule);
          model.arrive(event.granule);
          break;
        case "withdraw":
          if (!model.hasPlace(event.granule)) break;
          // What came before it is published by then: the ledger keeps no order within one publication of what it has only heard.
          await publish();
          await system.withdraw(event.granule);
          model.withdraw(event.granule.key, event.granule.identity);
          break;
        case "publish":
          await publish();
          break;
        case "roll back": {
          const earlier = moments.at(-1 - event.versions);
          if (earlier === undefined || earlier.sequence === moments.at(-1)?.sequence) break;
          await system.operate({ kind: "rollback", to: earlier.sequence, reason: "trial", by: "model" });
          await system.compare(ForecastModel.of(declared, earlier.standing));
          await system.operate({ kind: "release", reason: "trial", by: "model" });
          await publish();
          break;
        }
        case "rebuild":
          if (moments.length === 0 || model.standing.length === 0) break;
          await publish();
          await system.operate({ kind: "rebuild" });
          await system.compare(model);
          break;
        case "restart":
          system.restart();
      }
    }
    for (const moment of [dice.oneOf(moments), dice.oneOf(moments)]) {
      if (moment === undefined) continue;
      await system.compareAsOf(moment);
      count("store: as of");
    }
  } finally {
    await system.stop();
  }
}

class StoredForecast {
  readonly #declared: Declared;
  readonly #workshop: Workshop;
  readonly #known = new Map<ModelGranule, RevisionId>();
  #taken = 0;

  private constructor(declared: Declared, workshop: Workshop) {
    this.#declared = declared;
    this.#workshop = workshop;
  }

  static async start(declared: Declared): Promise<StoredForecast> {
    const workshop = await Workshop.start();
    const { folder } = workshop;
    const text = declared.yaml.replaceAll('"/data/', `"${folder}/`);
    workshop.dataset = parseDatasetFile(text, { file: join(folder, "dataset.yaml") }).datasets[0] as Dataset;
    workshop.publisher = workshop.newPublisher();
    return new StoredForecast(declared, workshop);
  }

  get #product(): ForecastProduct {
    return this.#workshop.dataset.products[0] as ForecastProduct;
  }

  /** A file of its own place, so that what it replaces can still be read. */
  async take(granule: ModelGranule): Promise<void> {
    const { runMs, isNowcast, hours, key } = granule;
    const seconds = hours.map((each) => runMs / 1000 + each * 3600);
    const bytes = granuleBytes({ seconds, value: (step) => valueIn({ granule, step }) });
    const back = isNowcast ? 1 - (this.#declared.nowcastHours[0] as number) : 0;
    const lead = String((hours[0] as number) + back).padStart(4, "0");
    const run = new Date(runMs).toISOString().slice(0, 13).replaceAll("-", "");
    const name = `${run}.${isNowcast ? "n" : "f"}${lead}.${key.at(-1)}.nc`;
    const uri = await this.#workshop.put(name, bytes, `in/${this.#taken++}`);
    this.#known.set(granule, await this.#workshop.take(uri));
  }

  async withdraw(granule: ModelGranule): Promise<void> {
    const { dataset, key, identity } = this.#known.get(granule) as RevisionId;
    await this.#workshop.ledger.record({ dataset, key, identity, state: "withdrawn", reason: "taken back" });
  }

  /** Publishes what is ready; true where the process died at that step and another one did it. */
  async publish(diesAt: number | undefined): Promise<boolean> {
    const ended = await mortal(diesAt, () => this.#workshop.settle());
    if (!(ended instanceof Died)) return false;
    this.restart();
    await this.#workshop.settle();
    return true;
  }

  async operate(operation: Operation): Promise<void> {
    const { ledger, scans, dataset, reference } = this.#workshop;
    const operator = new Operator({ ledger, scans, stores: new ProductStores(), now: Date.now });
    const signal = new AbortController().signal;
    await operator.carryOut({ id: randomUUID(), reference, dataset, tick: () => undefined, signal }, operation);
    this.restart();
  }

  restart(): void {
    this.#workshop.publisher = this.#workshop.newPublisher();
  }

  /** Of the newest publication; 0: there is none. */
  async sequence(): Promise<number> {
    const [newest] = await this.#workshop.ledger.publications("model", "forecast", 1);
    return newest?.sequence ?? 0;
  }

  /** Every view of the published version, or of another one, is the model's. */
  async compare(model: ForecastModel, dataset = this.#workshop.dataset, version?: string): Promise<void> {
    const seen = await viewsIn(dataset, version);
    if (seen === undefined) {
      assert.deepEqual(model.standing, []);
      return;
    }
    const grid = await readView(seen, "fmrc");
    const { offsetHours, validMs, recentHours } = this.#declared;
    const newest = model.runs().at(-1);
    const expected = new Map<string, ModelLine>([
      ["best", model.best()],
      ["whole", model.best(true)],
      ["latest", newest === undefined ? new Map() : model.run(newest)],
      ...model.runs().map((runMs) => [`run/${runName(runMs)}`, model.run(runMs)] as const),
      ...offsetHours.map(
        (each) =>
          [
            `offset/${describeLead(each * HOUR_MS)}`,
            new Map(grid.runsMs.map((runMs) => [runMs + each * HOUR_MS, model.at(runMs, each)])),
          ] as const,
      ),
    ]);
    for (const [group, line] of expected) compareLine(group, await readView(seen, group), line);
    for (const moment of new Set([validMs, ...model.recent(recentHours)])) {
      const group = `valid/${runName(moment)}`;
      const view = await readView(seen, group);
      assert.ok(view.validMs.every((ms) => ms === moment));
      compareLine(group, { ...view, validMs: view.runsMs }, model.valid(moment, grid.runsMs));
      expected.set(group, new Map());
    }
    const rows = grid.runsMs.map((runMs) => model.run(runMs));
    assert.deepEqual(
      [grid.validMs, grid.values],
      [rows.flatMap((row) => [...row.keys()]), rows.flatMap((row) => [...row.values()].map((cell) => cell && valueIn(cell)))],
      "fmrc",
    );
    assert.deepEqual([...seen.groups].sort(), [...expected.keys(), "fmrc"].sort(), "groups");
  }

  /** The version of that moment, and what is built of the ledger alone, are what the model was then. */
  async compareAsOf({ atMs, sequence, standing }: Moment): Promise<void> {
    const { ledger, scans, reference, folder, dataset } = this.#workshop;
    const model = ForecastModel.of(this.#declared, standing);
    const publication = await publicationAsOf(ledger, "model", "forecast", atMs);
    assert.equal(publication?.sequence, sequence);
    await this.compare(model, dataset, publication?.snapshot);
    if (standing.length === 0) return;
    const product = { ...this.#product, store: pathToFileURL(join(folder, randomUUID())).href };
    const copy: Dataset = { ...dataset, products: [product] };
    const parts = { ledger, scans, stores: new ProductStores(), now: Date.now };
    const asked = { tick: () => undefined, signal: new AbortController().signal };
    const { gone } = await buildAsOf(parts, { reference, dataset: copy, product }, atMs, asked);
    assert.deepEqual(gone, []);
    await this.compare(model, copy);
  }

  stop(): Promise<void> {
    return this.#workshop.stop();
  }
}

/** Which granule and step it is of. */
function valueIn({ granule, step }: Pick<ModelCell, "granule" | "step">): number {
  return Number(granule.identity.split(" ")[1]) * 10 + step;
}

function compareLine(what: string, { validMs, values }: SeenView, expected: ModelLine): void {
  assert.deepEqual(validMs, [...expected.keys()], `${what}: times`);
  assert.deepEqual(
    values,
    [...expected.values()].map((cell) => cell && valueIn(cell)),
    what,
  );
}
