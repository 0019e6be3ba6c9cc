import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker, type WorkflowBundleWithSourceMap } from "@temporalio/worker";
import { DeterminismViolationError } from "@temporalio/workflow";

const histories = new URL("../histories/", import.meta.url);
const files = readdirSync(histories).filter((name) => name.endsWith(".json"));
const workflows = fileURLToPath(new URL("../../src/workflows/", import.meta.url));

Runtime.install({
  logger: new DefaultLogger("ERROR"),
  shutdownSignals: [],
  telemetryOptions: { logging: { filter: "OFF", forward: {} } },
});

const bundle = (folder: string): Promise<WorkflowBundleWithSourceMap> =>
  bundleWorkflowCode({ workflowsPath: join(folder, "index.ts"), logger: new DefaultLogger("ERROR") });

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, histories), "utf8"));

/** Changes that look harmless: a pause before the last activity of each workflow. */
const BREAKS = [
  ["granule.ts", "await record(reference, current,"],
  ["run.ts", "seen = await lookAtRun("],
  ["dataset.ts", "last = await append("],
  ["backfill.ts", "const settled = await settle("],
  ["listing.ts", "const next = await list("],
  ["cmr.ts", "const next = await searchCmr("],
  ["maintenance.ts", "const next = await sweep("],
  ["notification.ts", "const trouble = await tell("],
  ["reconcile.ts", "const found: ReconciledPart = await reconcilePart("],
] as const;

suite("recorded histories", () => {
  let present: WorkflowBundleWithSourceMap;
  let broken: WorkflowBundleWithSourceMap;
  let folder: string;
  before(async () => {
    // Inside the project, so that the packages are found.
    folder = mkdtempSync(fileURLToPath(new URL("../../src/.broken-", import.meta.url)));
    cpSync(workflows, folder, { recursive: true });
    for (const [name, right] of BREAKS) {
      const source = readFileSync(join(folder, name), "utf8");
      assert.ok(source.includes(right), `${name} has no longer the line that is broken here`);
      const wrong = source.replaceAll(right, `await pause(1); ${right}`);
      writeFileSync(join(folder, name), `import { sleep as pause } from "@temporalio/workflow";\n${wrong}`);
    }
    present = await bundle(workflows);
    broken = await bundle(folder);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test("there are some of every workflow that is broken here", () => {
    for (const [name] of BREAKS)
      assert.ok(
        files.some((file) => file.startsWith(`${name.slice(0, -3)}-`)),
        name,
      );
  });

  for (const name of files) {
    test(`${name} replays`, async () => {
      await Worker.runReplayHistory({ workflowBundle: present }, read(name));
    });

    test(`${name} does not replay once a pause stands before the last activity`, async () => {
      await assert.rejects(Worker.runReplayHistory({ workflowBundle: broken }, read(name)), DeterminismViolationError);
    });
  }
});
