/** What libhdf5 printed of the failure at hand; it prints for every level, the innermost cause last. */
const lines: string[] = [];
const MOST_LINES = 400;

/** From now on what this thread would print as errors is kept here. To be called before libhdf5 is loaded. */
export function listenToComplaints(): void {
  console.error = (...words: unknown[]) => {
    if (lines.length < MOST_LINES) lines.push(words.join(" "));
  };
}

export function forgetComplaints(): void {
  lines.length = 0;
}

/** `otherwise`, and the innermost cause where one was given: `#012: H5FDsec2.c line 7 in H5FD__sec2_read(): file read failed`. */
export function withComplaint(otherwise: string): string {
  const causes = Array.from(lines.join("\n").matchAll(/#\d+: .*?\(\): (.*)/g), ([, cause]) => cause as string);
  // That no plugin could be found for a filter says less than which filter it was.
  const cause = causes.findLast((text) => !/plugin|directory/.test(text));
  return cause === undefined ? otherwise : `${otherwise}: ${cause.slice(0, 200)}`;
}
