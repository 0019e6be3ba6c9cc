import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as soon } from "node:timers/promises";
import { isFreshetError } from "../../src/errors/index.ts";
import { copyTurn, type Release, requestTurn } from "../../src/storage/host-turns.ts";

let hosts = 0;
/** Each test has a host of its own: turns are shared by all of a process. */
const aHost = (): string => `host-${hosts++}.test`;

/** The turn when it is given, and never while it is not. */
function asked(turn: Promise<Release>): { readonly given: () => Release | undefined } {
  let release: Release | undefined;
  turn.then(
    (given) => {
      release = given;
    },
    () => undefined,
  );
  return { given: () => release };
}

describe("turns at a host", () => {
  test("are as many as allowed, in the order in which they were asked for, and shared by all who ask", async () => {
    const host = aHost();
    const turns = Array.from({ length: 5 }, () => asked(requestTurn(host, { concurrency: 2 })));
    await soon();
    assert.deepEqual(
      turns.map(({ given }) => given() !== undefined),
      [true, true, false, false, false],
    );
    turns[1]?.given()?.();
    await soon();
    assert.deepEqual(
      turns.map(({ given }) => given() !== undefined),
      [true, true, true, false, false],
    );
    const elsewhere = asked(requestTurn(aHost(), { concurrency: 2 }));
    await soon();
    assert.ok(elsewhere.given(), "another host has turns of its own");
  });

  test("given back twice are given back once", async () => {
    const host = aHost();
    const first = await requestTurn(host, { concurrency: 1 });
    first();
    first();
    const second = asked(requestTurn(host, { concurrency: 1 }));
    const third = asked(requestTurn(host, { concurrency: 1 }));
    await soon();
    assert.ok(second.given());
    assert.equal(third.given(), undefined);
  });

  test("who gives up while he waits holds nobody up, and nothing of him is left", async () => {
    const host = aHost();
    const first = await requestTurn(host, { concurrency: 1 });
    const controller = new AbortController();
    const waiting = requestTurn(host, { concurrency: 1 }, controller.signal);
    const last = asked(requestTurn(host, { concurrency: 1 }));
    controller.abort(new Error("told to stop"));
    await assert.rejects(waiting, /told to stop/);
    await assert.rejects(requestTurn(host, { concurrency: 1 }, controller.signal), /told to stop/);
    first();
    await soon();
    assert.ok(last.given());
  });

  test("one source's stricter limit does not hold up another's requests to the same host", async () => {
    const host = aHost();
    const wide = [asked(requestTurn(host, { concurrency: 3 })), asked(requestTurn(host, { concurrency: 3 }))];
    const strict = asked(requestTurn(host, { concurrency: 1 }));
    const behind = asked(requestTurn(host, { concurrency: 3 }));
    await soon();
    assert.deepEqual(
      [...wide, strict, behind].map(({ given }) => given() !== undefined),
      [true, true, false, true],
    );
    for (const { given } of [...wide, behind]) given()?.();
    await soon();
    assert.ok(strict.given());
  });

  test("begin no faster than the rate, by the clock", async () => {
    const host = aHost();
    const started = performance.now();
    for (let request = 0; request < 6; request++) (await requestTurn(host, { perSecond: 50 }))();
    assert.ok(performance.now() - started >= 5 * 20 - 1, `${performance.now() - started} ms`);
  });
});

describe("copies from a host", () => {
  test("are half as many as requests, so that there is room for what reads in between", async () => {
    const host = aHost();
    const limits = { concurrency: 4 };
    const copies = Array.from({ length: 3 }, () => asked(copyTurn(host, limits)));
    await soon();
    assert.deepEqual(
      copies.map(({ given }) => given() !== undefined),
      [true, true, false],
    );
    const requests = Array.from({ length: 4 }, () => asked(requestTurn(host, limits)));
    await soon();
    assert.ok(requests.every(({ given }) => given() !== undefined));
    copies[0]?.given()?.();
    await soon();
    assert.ok(copies[2]?.given());
  });

  test("of which too many wait are told at once when to come back, one after the other", async () => {
    const host = aHost();
    const limits = { concurrency: 4 };
    const controller = new AbortController();
    for (let copy = 0; copy < 4; copy++) copyTurn(host, limits, controller.signal).catch(() => undefined);
    const waits: number[] = [];
    for (let copy = 0; copy < 1_000; copy++) {
      await assert.rejects(copyTurn(host, limits), (error) => {
        assert.ok(isFreshetError(error, "busy"), String(error));
        waits.push(error.facts.retryAfterMs ?? Number.NaN);
        return true;
      });
    }
    controller.abort();
    assert.ok((waits[0] as number) >= 2_000);
    assert.ok((waits[99] as number) > (waits[0] as number) + 10_000, "each later than the one before");
    assert.ok(Math.max(...waits) <= 300_000, "and none later than five minutes");
  });

  test("that have waited some seconds are told to come back, so that they keep no place in the process", {
    timeout: 30_000,
  }, async () => {
    const host = aHost();
    const held = await copyTurn(host, { concurrency: 1 });
    const started = performance.now();
    await assert.rejects(copyTurn(host, { concurrency: 1 }), (error) => isFreshetError(error, "busy"));
    assert.ok(performance.now() - started >= 4_900);
    held();
    (await copyTurn(host, { concurrency: 1 }))();
  });
});
