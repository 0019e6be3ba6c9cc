import type { FormState } from "../../contract/index.ts";
import type { Dataset } from "../../dataset/index.ts";
import { isFreshetError } from "../../errors/index.ts";
import type { Ledger } from "../../ledger/index.ts";
import { placeOf } from "./place-of.ts";

/**
 * How far the forms of a dataset are, by their pointers and the ledger, for those who only look. Why one is behind, only the dataset's
 * workflow knows; `trouble` is set for a pointer that cannot be read.
 */
export async function lookAtForms(dataset: Dataset, ledger: Ledger): Promise<FormState[]> {
  const states: FormState[] = [];
  for (const { name: product, also = [] } of dataset.products) {
    const [newest] = also.length === 0 ? [] : await ledger.publications(dataset.name, product, 1);
    for (const form of also) {
      const { kind, to, everyMs } = form;
      const about = { product, form: `${kind} ${to}`, newest: newest?.sequence ?? 0 };
      try {
        const pointer = await (await placeOf(form)).pointer();
        const shows = pointer?.sequence;
        const isBehind = (shows ?? 0) < about.newest;
        states.push({ ...about, shows, trouble: "", dueMs: isBehind ? (pointer?.writtenMs ?? 0) + everyMs : undefined });
      } catch (error) {
        if (!isFreshetError(error)) throw error;
        states.push({ ...about, shows: undefined, trouble: error.message, dueMs: undefined });
      }
    }
  }
  return states;
}
