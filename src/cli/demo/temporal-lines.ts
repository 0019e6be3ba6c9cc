import { granuleWorkflowId } from "../../contract/index.ts";
import { shellWord } from "../shell-word.ts";
import { temporalCommand } from "../temporal-command.ts";
import type { Temporal } from "./find-temporal.ts";
import { serverArguments } from "./temporal-server.ts";

/** Commands for a shell about the history of one granule. */
export interface TemporalLines {
  /** Shows the history; needs a server. */
  readonly show: string;
  /** Start the demo's server on its database once more, and wait until it answers; empty where a server runs. */
  readonly start: readonly string[];
  /** Ends that server. */
  readonly stop: string;
}

export function temporalLines(
  temporal: Temporal,
  isRunning: boolean,
  place: { readonly folder: string; readonly address: string; readonly port: number; readonly namespace: string },
  granule: { readonly dataset: string; readonly key: string },
): TemporalLines {
  const cli = temporalCommand(temporal.kind === "cli" ? temporal.path : undefined);
  const at = ["--address", place.address, ...(place.namespace === "default" ? [] : ["--namespace", place.namespace])];
  const id = granuleWorkflowId(granule.dataset, granule.key);
  const show = line(cli, "workflow", "show", ...at, "--workflow-id", id);
  if (isRunning) return { show, start: [], stop: "" };
  return {
    show,
    start: [
      `${line(cli, ...serverArguments(place), "--headless")} >/dev/null 2>&1 & server=$!`,
      `until ${line(cli, "operator", "cluster", "health", ...at)} >/dev/null 2>&1; do sleep 0.2; done`,
    ],
    stop: "kill $server",
  };
}

/** The command that decides about a granule in quarantine. */
export function decideLine(
  temporal: Temporal,
  place: { readonly address: string; readonly namespace: string },
  granule: { readonly dataset: string; readonly key: string },
): string {
  const cli = temporalCommand(temporal.kind === "cli" ? temporal.path : undefined);
  const at = ["--address", place.address, ...(place.namespace === "default" ? [] : ["--namespace", place.namespace])];
  const id = granuleWorkflowId(granule.dataset, granule.key);
  const decision = JSON.stringify({ action: "skip", reason: "a mistake of the agency", by: "me" });
  return line(cli, "workflow", "update", "execute", ...at, "--workflow-id", id, "--name", "decide", "--input", decision);
}

function line(...words: string[]): string {
  return words.map(shellWord).join(" ");
}
