import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { canonicalDataset } from "../../src/dataset/index.ts";
import { STEPS } from "../../src/steps/index.ts";
import { deliver, EACH_FORM, filesOf, JSON_FORM, PARQUET_FORM, pointed, publishForms, withForms } from "./form-shop.ts";
import { Workshop } from "./workshop.ts";

const PROGRAM = fileURLToPath(new URL("./form-process.ts", import.meta.url));
const FORMS = ["json", "parquet", "each"];
const HOUR_MS = 3_600_000;

let workshop: Workshop;
let day = 0;

before(async () => {
  workshop = await Workshop.start({
    products: withForms(JSON_FORM, PARQUET_FORM, EACH_FORM),
    maintenance: "{ grace: 1s, keep: { versions: 2 } }",
  });
  for (; day < 3; await publishForms(workshop)) await next();
});
after(() => workshop.stop());

/** One more version of the product. */
async function next(): Promise<void> {
  day++;
  await deliver(workshop, day, day);
  await workshop.settle();
}

/** Writes the forms in a process of its own; how it ended. */
async function inProcess(step: string, time: number): Promise<string> {
  const { text } = canonicalDataset(workshop.dataset);
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", PROGRAM, workshop.folder, text, step, `${time}`],
    {
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
  const [code, signal] = await once(child, "close");
  return String(signal ?? code);
}

/** Every reference document that readers can see is whole, and of the version that its pointer names. */
async function requireWhole(newest: number): Promise<void> {
  for (const form of FORMS) {
    const { place, sequence } = await pointed(workshop, form);
    assert.ok(sequence === newest || sequence === newest - 1, `${form} shows #${sequence}`);
    if (form === "json") assert.ok("sst/.zarray" in JSON.parse(await readFile(place, "utf8")).refs);
    if (form === "parquet") assert.equal(JSON.parse(await readFile(join(place, ".zmetadata"), "utf8")).record_size, 100);
  }
}

describe("a writer of forms that dies", () => {
  const deaths = STEPS.filter((step) => step.startsWith("form: ")).flatMap((step) =>
    (step === "form: document written" || step === "form: before removing" ? [1] : [1, 2]).map((time) => [step, time] as const),
  );
  for (const [step, time] of deaths) {
    test(`at "${step}", the ${time}. time, leaves what the next one finishes`, async () => {
      await next();
      assert.equal(await inProcess(step, time), "SIGKILL");
      await requireWhole(day);
      const later = (): number => Date.now() + 2 * HOUR_MS;
      const states = await publishForms(workshop, later);
      assert.deepEqual(
        states.map(({ shows, trouble }) => [shows, trouble]),
        FORMS.map(() => [day, ""]),
      );
      // As if nothing had happened: the versions that are kept, what readers open, and no remains.
      for (const form of FORMS) {
        const names = await filesOf(workshop, form);
        assert.deepEqual(
          names.filter((name) => name.startsWith(".") && !name.includes("/")),
          [],
          form,
        );
        const versions = new Set(names.filter((name) => name.startsWith("v")).map((name) => name.split(/[-/]/)[0]));
        if (form !== "each") assert.deepEqual([...versions].toSorted(), [`v${day - 1}`, `v${day}`].toSorted(), form);
      }
      const { place } = await pointed(workshop, "json");
      const latest = await readFile(join(workshop.folder, "forms/json/latest.json"));
      assert.deepEqual(latest, await readFile(place));
      assert.equal((await filesOf(workshop, "each")).length, day + 2);
    });
  }
});
