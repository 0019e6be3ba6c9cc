import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, Answers } from "../../src/starters/webhook/answers.ts";

const MINUTE_MS = 60_000;

/** Answers with a clock that stands until it is moved, and a count of how often one was made. */
function anAnswering() {
  const clock = { nowMs: 0 };
  const answers = new Answers(() => clock.nowMs);
  let made = 0;
  const ask = (key: string, said: string, answer: Answer = { status: 202, body: {} }): Promise<Answer | "other"> =>
    answers.once(key, [said], async () => {
      made++;
      return answer;
    });
  return { clock, ask, made: () => made };
}

test("an answer is kept for ten minutes from its making, however often it is asked for", async () => {
  const { clock, ask, made } = anAnswering();
  await ask("key", "a");
  clock.nowMs = 9 * MINUTE_MS;
  await ask("key", "a");
  assert.equal(await ask("key", "b"), "other");
  assert.equal(made(), 1);
  clock.nowMs = 10 * MINUTE_MS;
  assert.deepEqual(await ask("key", "b"), { status: 202, body: {} });
  assert.equal(made(), 2);
});

test("that somebody is wrong is an answer; that we could not is none", async () => {
  const { ask, made } = anAnswering();
  await ask("wrong", "a", { status: 400, body: {} });
  await ask("wrong", "a");
  assert.equal(made(), 1);
  await ask("could not", "a", { status: 503, body: {} });
  assert.deepEqual(await ask("could not", "a"), { status: 202, body: {} });
  assert.equal(made(), 3);
});

test("what throws is not kept", async () => {
  const answers = new Answers(() => 0);
  await assert.rejects(
    answers.once("key", ["a"], () => Promise.reject(new Error("no"))),
    /no/,
  );
  assert.deepEqual(await answers.once("key", ["b"], async () => ({ status: 202, body: {} })), { status: 202, body: {} });
});

test("parts of what was said are not taken for each other", async () => {
  const answers = new Answers(() => 0);
  const answer = async (): Promise<Answer> => ({ status: 202, body: {} });
  await answers.once("key", ["ab", "c"], answer);
  assert.equal(await answers.once("key", ["a", "bc"], answer), "other");
});

test("of more than 16 MiB the oldest are forgotten", async () => {
  const { ask, made } = anAnswering();
  const large: Answer = { status: 202, body: { uris: "x".repeat(1024 * 1024) } };
  for (let key = 0; key < 20; key++) await ask(`${key}`, "a", large);
  await ask("19", "a", large);
  assert.equal(made(), 20, "the newest is kept");
  await ask("0", "a", large);
  assert.equal(made(), 21, "the oldest is not");
});

test("of very many small ones too", async () => {
  const { ask, made } = anAnswering();
  for (let key = 0; key < 70_000; key++) await ask(`${key}`, "a");
  await ask("69999", "a");
  assert.equal(made(), 70_000);
  await ask("0", "a");
  assert.equal(made(), 70_001);
});
