export { type RunningWorker, startWorker } from "./run-worker.ts";
export { readSettings, type Settings } from "./settings.ts";
