import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { Dataset } from "../../src/dataset/index.ts";
import { applyDatasets } from "../../src/starters/index.ts";
import { granuleBytes } from "../products/made-granule.ts";
import { TestCmr } from "../support/cmr.ts";
import { localExample } from "../support/example-files.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { World } from "../support/world.ts";

const HOUR = 3600;

/** The example files, with their sources played by local servers: names → granule → published. */
suite("the example dataset files, run", { skip: missingTemporal(), timeout: 300_000 }, () => {
  let world: World;
  let cmr: TestCmr;
  before(async () => {
    [world, cmr] = await Promise.all([World.start(), TestCmr.start()]);
  });
  after(async () => {
    await world?.stop();
    await cmr?.close();
  });

  /** An example as it stands, but for where its source is and where its stores go; answers the datasets with these names. */
  async function apply(file: string, names: readonly string[]): Promise<Dataset[]> {
    const change = (text: string): string =>
      text.replace(/^ {4}listing:\s*\n(?: {6}.*\n)*/gm, "").replace(/cmr: \{/g, `cmr: { endpoint: "${cmr.url}",`);
    const datasets = await localExample(file, { at: world.agency.url, home: world.settings.home, change });
    const chosen = datasets.filter(({ name }) => names.includes(name));
    assert.deepEqual(
      chosen.map(({ name }) => name),
      names,
    );
    await applyDatasets(world.client, world.ledger, chosen);
    return chosen;
  }

  const publish = async (path: string, seconds: readonly number[]): Promise<void> => {
    await mkdir(join(world.agency.folder, dirname(path)), { recursive: true });
    await world.agency.publish(path, granuleBytes({ seconds, value: (step) => step }));
  };
  const published = async (dataset: string): Promise<number> => (await world.ledger.counts(dataset)).published;

  test("mur-sst.yaml and podaac-collections.yaml: what CMR tells of is published, days and steps in their places", async () => {
    const winds = "CCMP_WINDS_10M6HR_L4_V3.1";
    const [mur, ccmp] = [cmr.collection("MUR-JPL-L4-GLOB-v4.1"), cmr.collection(winds)];
    for (const day of [1, 2]) {
      const at = Date.UTC(2024, 5, day) / 1000;
      const name = `2024060${day}090000-JPL-L4_GHRSST-SSTfnd-MUR-GLOB-v02.0-fv04.1.nc`;
      await publish(name, [at + 9 * HOUR]);
      cmr.ingest(mur, { name, links: [{ url: `${world.agency.url}${name}` }] });
      const wind = `CCMP_Wind_Analysis_2024060${day}_V03.1_L4.nc`;
      const path = `${winds}/${wind}`;
      await publish(
        path,
        [0, 6, 12, 18].map((hour) => at + hour * HOUR),
      );
      cmr.ingest(ccmp, { name: wind, links: [{ url: `${world.agency.url}${path}` }] });
    }
    await apply("mur-sst.yaml", ["mur-sst"]);
    await apply("podaac-collections.yaml", ["ccmp-winds"]);
    await world.until(async () => (await published("mur-sst")) === 2, "the days are published");
    await world.until(async () => (await published("ccmp-winds")) === 2, "the winds are published");
    for (const dataset of ["mur-sst", "ccmp-winds"]) {
      const { quarantined } = await world.ledger.counts(dataset);
      assert.equal(quarantined, 0, dataset);
    }
  });

  test("nos-ofs.yaml: files under the names before and after September 2024 are granules of one forecast", async () => {
    const [dataset] = await apply("nos-ofs.yaml", ["leofs-fields"]);
    const run = Date.UTC(2024, 8, 14, 6) / 1000;
    const names = [
      "leofs/netcdf/2024/09/14/leofs.t06z.20240914.fields.f001.nc",
      "leofs.20240914/nos.leofs.fields.f002.20240914.t06z.nc",
    ];
    for (const [index, name] of names.entries()) {
      await publish(name, [run + (index + 1) * HOUR]);
      await world.announce(name);
    }
    await world.until(async () => (await published("leofs-fields")) === 2, "both are published");
    const [last] = await world.ledger.publications("leofs-fields", dataset?.products[0]?.name, 1);
    assert.equal(last?.granules, 2);
  });
});
