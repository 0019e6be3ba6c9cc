import type { DatasetReference, PublicationPlan } from "../contract/index.ts";
import type { LayoutDifference } from "../products/index.ts";

const NAMED = 10;

/**
 * The commit message: a line for people, then the publication's id and what it took in as one line of JSON. The binding
 * cannot write commit metadata, so it stands here.
 */
export function publicationMessage(
  dataset: DatasetReference,
  plan: PublicationPlan,
  changes: LayoutDifference["changes"],
): string {
  const keys = changes.flatMap(({ row }) => (row === null ? [] : [row.key]));
  const { product, sequence, parent, layoutHash, added, replaced, removed } = plan;
  const line = `${dataset.name}/${product} #${sequence}: ${added} added, ${replaced} replaced, ${removed} removed`;
  const facts = {
    freshet: 1,
    product,
    sequence,
    parent,
    layout: layoutHash,
    dataset: `${dataset.name}@${dataset.hash}`,
    granules: keys.slice(0, NAMED),
    more: Math.max(0, keys.length - NAMED),
  };
  return `${line}\n${JSON.stringify(facts)}`;
}
