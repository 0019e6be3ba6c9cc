import type { DatasetReference, PublicationPlan } from "../contract/index.ts";
import type { Dataset, TimeseriesProduct } from "../dataset/index.ts";
import { calendarOf, calendarSteps, timeseriesChange } from "../products/index.ts";
import type { StoreChange } from "../writers/icechunk/index.ts";
import type { GranuleScans } from "./granule-scans.ts";
import type { Turn } from "./turn.ts";

/** What a turn writes into its product's store. */
export function changeFor(input: {
  readonly reference: DatasetReference;
  readonly dataset: Dataset;
  readonly product: TimeseriesProduct;
  readonly plan: PublicationPlan;
  readonly turn: Turn;
  readonly granules: GranuleScans;
}): StoreChange {
  const { reference, product, plan, turn, granules } = input;
  const { layout } = turn.placement;
  const steps = granules.template.shape.validMs.length;
  const calendar = calendarOf(product);
  return timeseriesChange({
    header: {
      format: 1,
      product: product.name,
      dataset: { name: reference.name, hash: reference.hash },
      sequence: plan.sequence,
      parent: plan.parent,
      layoutHash: plan.layoutHash,
      cursor: plan.cursor,
      originMs: layout.originMs,
      slots: layout.rows.length,
      steps,
      calendar: calendarSteps(product),
      prefixes: turn.state.prefixes,
      template: granules.templateAddress,
    },
    before: turn.state.stored?.header,
    template: granules.template,
    layout,
    changes: turn.difference.changes,
    from: turn.difference.from,
    granules: granules.bySlot,
    timeAt: (slot, step) => calendar.timeAt(slot * steps + step, layout.originMs ?? 0),
  });
}
