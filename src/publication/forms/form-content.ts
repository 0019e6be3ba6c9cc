import type { Dataset, ForecastProduct, Product } from "../../dataset/index.ts";
import { differenceOf, epochGroup, isStatePath, Layout, type Shown, type StoredState, viewsOf } from "../../products/index.ts";
import type { ScanStore } from "../../scan/index.ts";
import type { StoreChange } from "../../writers/icechunk/index.ts";
import { ChangeParts } from "../change-parts.ts";
import type { Tick } from "../turn.ts";
import type { WantedEpoch } from "../wanted.ts";

interface Content {
  readonly scans: ScanStore;
  readonly dataset: Dataset;
  readonly product: Product;
  /** The version to show. */
  readonly stored: StoredState;
  /** The version that is there: the changes lead from it; see `canFollow`. Undefined: the changes are of something empty. */
  readonly from?: StoredState | undefined;
  readonly tick: Tick;
}

/**
 * What a published version holds, or what turns an earlier one into it, in parts of a bounded number of references; Freshet's own
 * record is not in it. Made from the version's layout and the scans, as the version itself was.
 */
export async function* contentOf({ scans, dataset, product, stored, from, tick }: Content): AsyncGenerator<StoreChange> {
  const { layoutHash: _, epochs: headers, ...header } = stored.header;
  const epochs = stored.epochs.map(({ header: { epoch, template, steps }, layout }): WantedEpoch => {
    const before = from?.epochs.find((other) => other.header.epoch === epoch);
    return { epoch, stored: before, layout, difference: differenceOf(before?.layout ?? Layout.EMPTY, layout), template, steps };
  });
  const shown = (epoch: number): Shown => headers.find((candidate) => candidate.epoch === epoch) as Shown;
  const parts = new ChangeParts({ scans, dataset, product, epochs, header, isFresh: from === undefined, shown, tick });
  for await (const { groups, arrays, removed } of parts) {
    yield {
      removed,
      groups: groups.filter(({ path }) => !isStatePath(path)),
      arrays: arrays.filter(({ path }) => !isStatePath(path)),
    };
  }
}

/** Of a content, one view of a forecast, at the root (of its epoch). @param group `/best`. */
export async function* oneViewOf(content: AsyncIterable<StoreChange>, group: string): AsyncGenerator<StoreChange> {
  const inView = <Item extends { readonly path: string }>(items: readonly Item[]): Item[] =>
    items.flatMap((item) => {
      const { under = "", path = "" } = /^(?<under>\/epoch_[0-9]+)?(?<path>\/.*)$/.exec(item.path)?.groups ?? {};
      if (path !== group && !path.startsWith(`${group}/`)) return [];
      return [{ ...item, path: `${under}${path.slice(group.length)}` || "/" }];
    });
  for await (const { groups, arrays, removed = [] } of content) {
    const left = inView(removed.map((path) => ({ path }))).map(({ path }) => path);
    yield { groups: inView(groups), arrays: inView(arrays), removed: left };
  }
}

/** Where the views of a version lie. */
function groupsOf(product: ForecastProduct, { epochs }: StoredState): string[] {
  return epochs.flatMap(({ header, layout }) =>
    viewsOf(layout, product, header.steps).map(({ group }) => `${epochGroup(header.epoch)}${group}`),
  );
}

/** Whether a version can be told as changes of an earlier one: the same file, every epoch of the same form, and no view that has left. */
export function canFollow(product: Product, from: StoredState, to: StoredState): boolean {
  if (from.header.dataset.hash !== to.header.dataset.hash) return false;
  if (product.kind === "forecast") {
    const left = new Set(groupsOf(product, to));
    if (groupsOf(product, from).some((group) => !left.has(group))) return false;
  }
  return from.epochs.every(({ header: before }) => {
    const after = to.epochs.find(({ header }) => header.epoch === before.epoch)?.header;
    const isSame = (key: "steps" | "calendar" | "originMs"): boolean => after?.[key] === before[key];
    return after?.template.sha256 === before.template.sha256 && isSame("steps") && isSame("calendar") && isSame("originMs");
  });
}
