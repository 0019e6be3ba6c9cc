import type { PublicationPlan } from "../contract/index.ts";
import type { StateHeader } from "../products/index.ts";
import type { Turn } from "./turn.ts";

const NAMED = 10;

/**
 * The commit message: a line for people, then the publication's id and what it took in as one line of JSON. The binding
 * cannot write commit metadata, so it stands here.
 */
export function publicationMessage(dataset: StateHeader["dataset"], plan: PublicationPlan, turn: Turn, words: string): string {
  const keys: string[] = [];
  let more = 0;
  for (const { difference } of turn.wanted.epochs) {
    for (const { row } of difference.changes) {
      if (row === null) continue;
      if (keys.length < NAMED) keys.push(row.key);
      else more++;
    }
  }
  const { product, sequence, parent, layoutHash, added, replaced, removed, kind } = plan;
  const what = kind === "publication" ? "" : `${kind}, `;
  const line = `${dataset.name}/${product} #${sequence}: ${what}${added} added, ${replaced} replaced, ${removed} removed${words}`;
  const facts = {
    freshet: 1,
    kind,
    product,
    sequence,
    parent,
    layout: layoutHash,
    dataset: `${dataset.name}@${dataset.hash}`,
    granules: keys,
    more,
    ...(turn.request === undefined ? {} : { request: turn.request }),
  };
  return `${line}\n${JSON.stringify(facts)}`;
}

/** The operator's request that a publication answered, by its message. */
export function requestOf(message: string): string | undefined {
  const facts = message.slice(message.lastIndexOf("\n") + 1);
  return facts.startsWith("{") ? (JSON.parse(facts) as { request?: string }).request : undefined;
}
