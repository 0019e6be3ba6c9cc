import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What set-up found (docs/set-up.md, "What it leaves"). Every member may be absent. */
export interface SetUpRecord {
  readonly node?: string;
  readonly temporal?: { readonly kind: "cli"; readonly path: string } | { readonly kind: "address"; readonly address: string };
  readonly python?: string;
}

/** Reads the record of this checkout; empty where set-up has not run. */
export function readSetUpRecord(): SetUpRecord {
  try {
    return JSON.parse(readFileSync(fileURLToPath(new URL("../../.freshet/set-up.json", import.meta.url)), "utf8")) as SetUpRecord;
  } catch {
    return {};
  }
}
