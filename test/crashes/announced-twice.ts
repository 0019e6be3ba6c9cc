import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { freePort } from "../../src/cli/demo/free-port.ts";
import { granuleWorkflowId } from "../../src/contract/index.ts";
import { endChild } from "../support/temporal-server.ts";
import { CrashWorld } from "./crash-world.ts";
import { readEndState } from "./end-state.ts";
import { bytesOf, nameOf } from "./scenario.ts";

const PROGRAM = fileURLToPath(new URL("./webhook-process.ts", import.meta.url));

/**
 * The process that hears announcements dies between Temporal's word and its own answer; so the sender, who heard nothing, says it again. It
 * is one revision, published once.
 */
export async function announcedTwice(): Promise<string> {
  const world = await CrashWorld.start();
  try {
    await world.put(nameOf(1), bytesOf(1, 10));
    const port = await freePort(0);
    const announce = (url: string): Promise<Response> =>
      fetch(url, {
        method: "POST",
        body: JSON.stringify({ uri: `${world.agency.url}${nameOf(1)}` }),
        headers: { "content-type": "application/json" },
      });

    const first = await startWebhookProcess(world, port, "dies");
    const ended = once(first.child, "exit");
    await assert.rejects(announce(first.url), "there is no answer");
    assert.deepEqual(await ended, [null, "SIGKILL"]);
    assert.deepEqual(first.steps, ["announce: held"]);

    const second = await startWebhookProcess(world, port, "lives");
    const answer = await announce(second.url);
    assert.equal(answer.status, 202);
    await endChild(second.child);

    const { name } = world.dataset;
    await world.resultOf(granuleWorkflowId(name, "20170601T120000Z"));
    await world.rests(1);
    const end = await readEndState(world);
    assert.equal(end.revisions.length, 1);
    assert.match(end.revisions[0] as string, / is published, epoch 1: heard → ready → published$/);
    assert.deepEqual(end.publications, ["#1 publication, 1 granules: 20170601T120000Z"]);
    return "one revision, one publication";
  } finally {
    await world.stop();
  }
}

async function startWebhookProcess(world: CrashWorld, port: number, ending: "dies" | "lives") {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", PROGRAM, String(port), ending], {
    env: { ...process.env, ...world.environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const steps: string[] = [];
  const lines = createInterface({ input: child.stdout });
  const [url] = (await once(lines, "line")) as [string];
  lines.on("line", (line) => steps.push(line));
  return { child, url, steps };
}
