import assert from "node:assert/strict";
import { test } from "node:test";
import { MockActivityEnvironment } from "@temporalio/testing";
import { withHeartbeat } from "../../src/activities/heartbeat.ts";

test("long work tells what it is doing, each time it says so", async () => {
  const environment = new MockActivityEnvironment();
  const told: unknown[] = [];
  environment.on("heartbeat", (details: unknown) => told.push(details));
  const answer = await environment.run(() =>
    withHeartbeat(async (tell) => {
      tell("reading");
      tell("writing");
      return 42;
    }),
  );
  assert.equal(answer, 42);
  assert.deepEqual(told, ["reading", "writing"]);
});

test("a cancelled activity hears of it by its signal, and its error is what Temporal gave", async () => {
  const environment = new MockActivityEnvironment();
  const running = environment.run(() =>
    withHeartbeat(
      (_tell, signal) =>
        new Promise<never>((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
    ),
  );
  environment.cancel("CANCELLED");
  await assert.rejects(running, /CANCELLED/);
});

test("what fails keeps its error", async () => {
  await assert.rejects(
    new MockActivityEnvironment().run(() => withHeartbeat(() => Promise.reject(new Error("the disk is full")))),
    /the disk is full/,
  );
});
