import type { FormState } from "../../contract/index.ts";
import { type Dataset, formsOf } from "../../dataset/index.ts";
import { isFreshetError } from "../../errors/index.ts";
import type { Ledger } from "../../ledger/index.ts";
import { placeOf } from "./place-of.ts";
import { XredsFile } from "./xreds-file.ts";

/**
 * How far the forms of a dataset are, by their pointers and the ledger, for those who only look. Why one is behind, only the dataset's
 * workflow knows; `trouble` is set for a pointer that cannot be read.
 */
export async function lookAtForms(dataset: Dataset, ledger: Ledger): Promise<FormState[]> {
  const states: FormState[] = [];
  for (const declared of dataset.products) {
    const product = declared.name;
    const forms = formsOf(dataset, declared);
    const [newest] = forms.length === 0 ? [] : await ledger.publications(dataset.name, product, 1);
    for (const form of forms) {
      const { kind, to, everyMs } = form;
      const about = { product, form: `${kind} ${to}`, newest: newest?.sequence ?? 0 };
      try {
        const pointer =
          form.kind === "xreds"
            ? await (await XredsFile.at(form)).mark(dataset, declared)
            : await (await placeOf(form)).pointer();
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
