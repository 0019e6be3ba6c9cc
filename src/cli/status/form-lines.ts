import type { FormState } from "../../contract/index.ts";
import { paint } from "../paint.ts";
import { describeAge } from "./report.ts";

/** What the pointers say, with the reasons that the workflow knows. */
export function withReasons(states: readonly FormState[], told: readonly FormState[]): FormState[] {
  return states.map((state) => {
    const known = told.find(({ product, form }) => product === state.product && form === state.form);
    return isBehind(state) && known !== undefined ? { ...state, trouble: known.trouble, dueMs: known.dueMs } : state;
  });
}

/** True for a form that does not show the newest version. */
export function isBehind({ shows, newest }: FormState): boolean {
  return (shows ?? 0) < newest;
}

/** One line for each form: which version it shows, and why not the newest. */
export function formLines(name: string, states: readonly FormState[], nowMs: number): string[] {
  return states.map((state) => {
    const { product, form, shows, newest, trouble, dueMs } = state;
    const shown = shows === undefined ? "shows nothing yet" : `shows #${shows}`;
    const start = `  ${name}/${product} ${form}: ${shown}`;
    if (trouble !== "") return `${start}${isBehind(state) ? ` of #${newest}` : ""}: ${paint("bad", trouble)}`;
    if (!isBehind(state)) return `${start}, the newest`;
    const due = dueMs === undefined || dueMs <= nowMs ? "is due" : `is due in ${describeAge(nowMs, dueMs)}`;
    return `${start} of #${newest}, ${paint("waiting", due)}`;
  });
}
