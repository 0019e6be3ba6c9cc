import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleWorkflowCode, DefaultLogger } from "@temporalio/worker";

let made: Promise<string> | undefined;

/** The path of the workflows, bundled once in a process, with shorter waits for activities that have gone silent. */
export function impatientWorkflows(): Promise<string> {
  made ??= bundle();
  return made;
}

async function bundle(): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL("../../src/workflows/index.ts", import.meta.url)),
    workflowInterceptorModules: [fileURLToPath(new URL("./impatience.ts", import.meta.url))],
    logger: new DefaultLogger("ERROR"),
  });
  const path = join(await mkdtemp(join(tmpdir(), "freshet-workflows-")), "workflows.js");
  await writeFile(path, code);
  return path;
}
