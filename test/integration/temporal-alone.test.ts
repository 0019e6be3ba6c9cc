import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, suite, test } from "node:test";
import { promisify } from "node:util";
import { findTemporal } from "../../src/cli/demo/find-temporal.ts";
import type { DatasetStatus, GranuleStatus } from "../../src/contract/index.ts";
import { MOGREPS, OSTIA } from "../support/granules.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { World } from "../support/world.ts";

/** The lines of the page's section, in their order. */
function linesOfThePage(): string[] {
  const page = readFileSync(new URL("../../docs/operate.md", import.meta.url), "utf8");
  const section = page.slice(page.indexOf("## With Temporal alone"), page.indexOf("## Is everything there?"));
  return [...section.matchAll(/^\$ (temporal .*)$/gm)].map(([, line]) => line as string);
}

suite("an operator with Temporal alone runs the lines of docs/operate.md", { skip: missingTemporal(), timeout: 240_000 }, () => {
  let world: World;
  const lines = linesOfThePage();
  let id = "";
  before(async () => {
    world = await World.start();
    for (const { name, path } of OSTIA) await world.agency.publish(name, { copyOf: path });
  });
  after(() => world?.stop());

  /** Takes the next line of the page, which has to be this one, and runs it in a shell as it stands. */
  async function next(isThis: RegExp): Promise<string> {
    const line = (lines.shift() ?? assert.fail(`the page has no line ${isThis}`)).replace(":ID", `:${id}`);
    assert.match(line, isThis);
    const temporal = findTemporal();
    const command = line.replace(/^temporal/, temporal.kind === "cli" ? `'${temporal.path}'` : "temporal");
    const environment = { ...process.env, TEMPORAL_ADDRESS: world.server.address };
    const { stdout } = await promisify(execFile)("sh", ["-c", `${command} --output json`], { env: environment });
    return stdout;
  }
  /** What a query answers. */
  const answerOf = <Answer>(output: string): Answer => (JSON.parse(output) as { queryResult: Answer[] }).queryResult[0] as Answer;
  const published = async (count: number): Promise<void> =>
    world.until(async () => (await world.ledger.counts("ostia")).published === count, `${count} are published`);

  test("what there is, and where it stands", async () => {
    await world.until(async () => JSON.parse((await peek(lines[0])) || "[]").length > 0, "the dataset is listed");
    assert.match(await next(/workflow list/), /dataset:ostia/);
    assert.equal(answerOf<DatasetStatus>(await next(/query .*dataset:ostia/)).dataset.name, "ostia");
  });

  test("a range is brought in", async () => {
    const answer = await next(/--name backfill/);
    id = /backfill:ostia:([0-9a-f]+)/.exec(answer)?.[1] ?? assert.fail(answer);
    assert.match(await next(/query .*backfill:/), /"total": ?2/);
    // It may have ended meanwhile, and takes no signal then.
    await next(/signal --name pause .*backfill/).catch(() => undefined);
    await next(/signal --name resume .*backfill/).catch(() => undefined);
    await published(2);
  });

  test("a granule is announced again, and found to be known", async () => {
    assert.match(await next(/--name replay/), /granule:ostia:20170605T120000Z/);
    let status: GranuleStatus | undefined;
    const line = lines[0];
    await world.until(async () => {
      status = answerOf<GranuleStatus>(await peek(line));
      return status.stage === "duplicate";
    }, "it is a duplicate");
    await next(/query .*granule:ostia:20170605T120000Z/);
    assert.match(status?.reason ?? "", /published already/);
  });

  test("a granule that waits is found, read and decided", async () => {
    const [wrong] = MOGREPS;
    const name = (OSTIA[2] as (typeof OSTIA)[number]).name;
    await world.agency.publish(name, { copyOf: (wrong as (typeof MOGREPS)[number]).path });
    const { workflowId } = await world.announce(name);
    await world.inStage(workflowId, "quarantined");
    const list = lines[0];
    await world.until(async () => (await peek(list)).includes(workflowId), "it is listed");
    await next(/FreshetStage = "quarantined"/);
    assert.match(answerOf<GranuleStatus>(await next(/query .*20170607/)).reason, /./);
    await next(/--name decide/);
    await world.inStage(workflowId, "skipped");
  });

  test("versions: now, an earlier one and back, none for a while; sources are looked at", async () => {
    await next(/--name wake/);
    assert.match(await next(/--name rollback/), /"kind": ?"rollback"/);
    assert.match(await next(/--name release/), /"kind": ?"release"/);
    await next(/--name pause .*dataset:ostia/);
    await next(/--name resume .*dataset:ostia/);
    await next(/schedule trigger/);
    await world.until(async () => (await workflowsOf("maintenance")) > 0, "the sources are looked at");
    assert.deepEqual(lines, []);
  });

  async function peek(line: string | undefined): Promise<string> {
    lines.unshift(line ?? assert.fail());
    return next(/./);
  }

  async function workflowsOf(type: string): Promise<number> {
    return (await world.client.workflow.count(`WorkflowType="${type}"`)).count;
  }
});
