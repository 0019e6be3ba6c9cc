import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { STEPS } from "../../src/steps/index.ts";
import { DEATHS } from "./misfortunes.ts";

const SOURCES = fileURLToPath(new URL("../../src/", import.meta.url));

test("the list of steps is the code's: each is reached somewhere in the sources, and nothing else is", async () => {
  const named = new Set<string>();
  for (const file of await readdir(SOURCES, { recursive: true })) {
    if (!file.endsWith(".ts") || file.startsWith("steps")) continue;
    const text = await readFile(join(SOURCES, file), "utf8");
    const calls = [...text.matchAll(/\breached\(([^)]*)\)/g)].map(([, argument]) => argument as string);
    for (const argument of calls) {
      const [, step] = /^"([^"]+)"$/.exec(argument) ?? [];
      assert.ok(step, `${file}: reached(${argument}) does not name a step`);
      named.add(step);
    }
  }
  assert.deepEqual([...named].toSorted(), [...STEPS].toSorted());
});

test("workers die at every step in the long form of these tests", () => {
  const steps = Object.values(DEATHS).flatMap((orders = []) => orders.map(({ step }) => step));
  // A webhook's process dies there, in announced-twice.ts.
  const forms = STEPS.filter((step) => step.startsWith("form: "));
  // Writers of forms die there in test/publication/forms-crash.test.ts, also in the short form.
  const died = new Set<string>([...steps, ...forms, "announce: held"]);
  assert.deepEqual([...died].toSorted(), [...STEPS].toSorted());
});
