import type { CollectionProduct } from "./collection.ts";
import type { Dataset } from "./dataset.ts";
import { compileGrammar } from "./name-grammar.ts";
import { namesOf } from "./names-of.ts";
import { showFound } from "./problem.ts";

/** Something about a collection that only shows when the dataset is put together. */
export interface CollectionProblem {
  /** Of the collection. */
  readonly key: string;
  readonly found: string;
  readonly allowed: string;
}

/** What a collection takes from names that they do not say. The dataset's grammars agree with each other. */
export function collectionProblems(dataset: Pick<Dataset, "match" | "message">, product: CollectionProduct): CollectionProblem[] {
  if (product.along === "coordinate") return [];
  const problems: CollectionProblem[] = [];
  const kinds = namesOf(dataset).kinds;
  const checkField = (key: string, field: string): void => {
    if (!kinds.has(field)) {
      const allowed = [...kinds.keys()].sort().join(", ");
      problems.push({ key, found: `${showFound(field)}, which names do not say`, allowed });
      return;
    }
    const silent = dataset.match.find((text) => !compileGrammar(text).kinds.has(field));
    if (silent !== undefined)
      problems.push({ key, found: `${showFound(field)}, which ${silent} does not say`, allowed: "a field of every grammar" });
  };
  if (product.along === "none") checkField("newest", product.newest);
  else {
    for (const field of product.order) if (field !== "") checkField("order", field);
    for (const coordinate of Object.values(product.coordinates))
      if (coordinate.from === "field") checkField("coordinates", coordinate.field);
  }
  if (product.time === "" && problems.length === 0) {
    const allowed = "names with an instant, such as {start:%Y%m%d}: it says when a granule is valid";
    problems.push({ key: "along", found: "granules whose names say no time", allowed });
  }
  return problems;
}
