import type { VariableOutcome, VirtualGroup } from "../virtual/index.ts";

/** What a format's scanner found in one file: the arrays that can be read by reference, and how every variable ended. */
export interface FormatScan {
  /** Holds exactly the variables whose outcome is `referenced` or `inlined`. */
  readonly root: VirtualGroup;
  /** Every variable of the file once. */
  readonly outcomes: readonly VariableOutcome[];
}
