import type { Command } from "commander";

/** What the module of a command exports: it adds arguments, options, examples and the action. */
export interface CommandModule {
  configure(command: Command): void;
}

export interface CommandEntry {
  readonly name: string;
  /** One line for `freshet --help`. */
  readonly summary: string;
  /** Loaded only when this is the command that was asked for. */
  readonly load: () => Promise<CommandModule>;
}

/** Every command, in the order of `freshet --help`. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "demo",
    summary: "real granules become two datasets on a Temporal server, in one command",
    load: () => import("./commands/demo.ts"),
  },
  {
    name: "apply",
    summary: "make Temporal match dataset files",
    load: () => import("./commands/apply.ts"),
  },
  {
    name: "promote",
    summary: "take dataset files from one stage to the next, when they are fit for it",
    load: () => import("./commands/promote.ts"),
  },
  {
    name: "dataset",
    summary: "try a dataset file: what its name grammars make of names",
    load: () => import("./commands/dataset.ts"),
  },
  {
    name: "ingest",
    summary: "announce files or URLs, and follow them until readers see them",
    load: () => import("./commands/ingest.ts"),
  },
  {
    name: "backfill",
    summary: "announce the granules of a span or a list, behind live work; status, pause, resume, cancel",
    load: () => import("./commands/backfill.ts"),
  },
  {
    name: "replay",
    summary: "announce granules again, from where they came last",
    load: () => import("./commands/replay.ts"),
  },
  {
    name: "run",
    summary: "one shot for containers and cron: apply, bring in a span or a list, publish, end",
    load: () => import("./commands/run.ts"),
  },
  {
    name: "status",
    summary: "where datasets and granules are, and what they wait for",
    load: () => import("./commands/status.ts"),
  },
  {
    name: "runs",
    summary: "the runs of a forecast: what is there of each, what is missing or late",
    load: () => import("./commands/runs.ts"),
  },
  {
    name: "unmatched",
    summary: "what sources have brought that no dataset knows",
    load: () => import("./commands/unmatched.ts"),
  },
  {
    name: "quarantine",
    summary: "granules that wait for a decision: list, show, retry, skip, accept",
    load: () => import("./commands/quarantine.ts"),
  },
  {
    name: "versions",
    summary: "the published versions of a dataset, and how to open them",
    load: () => import("./commands/versions.ts"),
  },
  {
    name: "as-of",
    summary: "a dataset as it was known at a moment: which version, or built anew from the ledger",
    load: () => import("./commands/as-of.ts"),
  },
  {
    name: "catalog",
    summary: "what a catalogue says of a dataset: STAC, xreds",
    load: () => import("./commands/catalog.ts"),
  },
  {
    name: "publish",
    summary: "publish what is ready now, or write it as a candidate",
    load: () => import("./commands/publish.ts"),
  },
  {
    name: "rollback",
    summary: "show an earlier version again, and hold the product there",
    load: () => import("./commands/rollback.ts"),
  },
  {
    name: "release",
    summary: "end a hold: the product is again what the ledger says",
    load: () => import("./commands/release.ts"),
  },
  {
    name: "rebuild",
    summary: "write a product, or a range of it, anew",
    load: () => import("./commands/rebuild.ts"),
  },
  {
    name: "notify",
    summary: "tell those whom the dataset file names of a version once more",
    load: () => import("./commands/notify.ts"),
  },
  {
    name: "verify",
    summary: "compare store, ledger and sources; changes nothing",
    load: () => import("./commands/verify.ts"),
  },
  {
    name: "reconcile",
    summary: "find what is missing, late, replaced, duplicate, withdrawn, orphaned; act by policy, or report",
    load: () => import("./commands/reconcile.ts"),
  },
  {
    name: "upkeep",
    summary: "remove from the stores what nothing needs any more",
    load: () => import("./commands/upkeep.ts"),
  },
  {
    name: "ledger",
    summary: "look after the ledger: info, migrate, backup, restore, rebuild",
    load: () => import("./commands/ledger.ts"),
  },
  {
    name: "scan",
    summary: "find the byte ranges of every chunk of files, without reading their data",
    load: () => import("./commands/scan.ts"),
  },
  {
    name: "starter",
    summary: "listen to the queues and brokers that applied datasets name",
    load: () => import("./commands/starter.ts"),
  },
  {
    name: "worker",
    summary: "run workflows and activities, and the webhook",
    load: () => import("./commands/worker.ts"),
  },
  {
    name: "doctor",
    summary: "look at everything that Freshet needs, and say what is missing",
    load: () => import("./commands/doctor.ts"),
  },
];
