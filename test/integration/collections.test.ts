import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { GranuleStatus } from "../../src/contract/index.ts";
import { Announcer, applyDatasets } from "../../src/starters/index.ts";
import { localExample } from "../support/example-files.ts";
import { missingPython, runPython } from "../support/python.ts";
import { throughGdal, throughZarrita } from "../support/references.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { World } from "../support/world.ts";

/** A granule, as test/python/collection_granules.py writes it. */
interface Granule {
  readonly name: string;
  readonly kind: string;
  /** Seconds since 1970. */
  readonly time: number;
  readonly [more: string]: string | number;
}

const at = (...date: Parameters<typeof Date.UTC>): number => Date.UTC(...date) / 1000;
const day = (time: number): string => new Date(time * 1000).toISOString().slice(0, 10).replaceAll("-", "");
const clock = (time: number): string => new Date(time * 1000).toISOString().slice(11, 19).replaceAll(":", "");
const pad = (value: number, length: number): string => String(value).padStart(length, "0");

function oscar(date: number): Granule {
  const time = at(2020, 1, date);
  return { name: `OSCAR_L4_OC_FINAL_V2.0/oscar_currents_final_${day(time)}.nc`, kind: "oscar", time };
}

function ccmp(date: number): Granule {
  const time = at(1993, 0, date);
  return { name: `CCMP_WINDS_10M6HR_L4_V3.1/CCMP_Wind_Analysis_${day(time)}_V03.1_L4.nc`, kind: "ccmp", time };
}

function grace(year: number, month: number, steps: number, chunk: number): Granule {
  const name = `GRCTellus.JPL.200204_${year}${pad(month, 2)}.GLO.RL06.3M.MSCNv04CRI.nc`;
  return {
    name: `TELLUS_GRAC-GRFO_MASCON_CRI_GRID_RL06.3_V4/${name}`,
    kind: "grace",
    time: at(year, month - 1),
    ...{ steps, chunk },
  };
}

function scatsat(orbit: number, time: number): Granule {
  const span = [time, time + 5958].map((moment) => `${day(moment)}-${clock(moment)}`);
  const name = `measures_esdr_scatsat_l2_wind_stress_${pad(orbit, 5)}_v1.1_s${span[0]}-e${span[1]}.nc`;
  const ofYear = (time - at(2018, 0)) / 86_400 + 1;
  return {
    name: `SCATSAT1_ESDR_L2_WIND_STRESS_V1.1/2018/${pad(Math.floor(ofYear), 3)}/${name}`,
    kind: "scatsat",
    ...{ time, orbit },
  };
}

function swot(pass: number, stream: string, lines = 9): Granule {
  const time = at(2024, 0, 4, 0, pass);
  const span = [time, time + 3088].map((moment) => `${day(moment)}T${clock(moment)}`).join("_");
  const name = `SWOT_L2_LR_SSH_Basic_008_${pad(pass, 3)}_${span}_${stream}_01.nc`;
  return { name: `SWOT_L2_LR_SSH_2.0/${name}`, kind: "swot", ...{ time, cycle: 8, pass, lines, stream: stream.slice(0, 3) } };
}

interface Case {
  readonly dataset: string;
  readonly what: string;
  /** In the order of the axis; of `along: none` the one that stays is the last. */
  readonly granules: readonly Granule[];
  /** Indices of those that come after a first version. */
  readonly late: readonly number[];
  readonly dimension: string | null;
  readonly made?: (granule: Granule) => Record<string, string | number>;
  /** An array of numbers, for zarrita, and its shape. */
  readonly field: string;
  readonly size: number;
}

const fileOf = ({ name }: Granule): string => name.slice(name.lastIndexOf("/") + 1);

const CASES: readonly Case[] = [
  {
    dataset: "oscar-currents",
    what: "longitude before latitude, coordinates called other than their dimensions, times labelled julian, 29 February",
    granules: [oscar(27), oscar(28), oscar(29), oscar(30)],
    late: [1],
    dimension: "time",
    field: "ug",
    size: 4 * 8 * 6,
  },
  {
    dataset: "ccmp-winds",
    what: "four steps a file, a day that is missing, one that is late",
    granules: [ccmp(2), ccmp(3), ccmp(5)],
    late: [1],
    dimension: "time",
    field: "nobs",
    size: 12 * 4 * 6,
  },
  {
    dataset: "grace-mascons",
    what: "a record that is replaced by a longer one of other chunks",
    granules: [grace(2025, 1, 5, 2), grace(2025, 5, 6, 4)],
    late: [1],
    dimension: null,
    field: "scale_factor",
    size: 4 * 6,
  },
  {
    dataset: "scatsat-winds",
    what: "swaths, with times and orbits from their names",
    granules: [
      scatsat(8002, at(2018, 3, 1, 1, 19, 8)),
      scatsat(8003, at(2018, 3, 1, 3, 0)),
      scatsat(8016, at(2018, 3, 2, 0, 45)),
    ],
    late: [0],
    dimension: "granule",
    made: (granule) => ({
      orbit: granule.orbit as number,
      orbit_segment_start_time: granule.time,
      file: fileOf(granule),
    }),
    field: "flags",
    size: 3 * 7 * 5,
  },
  {
    dataset: "swot-ssh-basic",
    what: "swaths of two streams, with cycle and pass, a number and a text of their attributes",
    granules: [swot(1, "PGC0"), swot(2, "PGC0"), swot(7, "PIC0")],
    late: [2],
    dimension: "granule",
    made: (granule) => ({
      cycle: granule.cycle as number,
      pass: granule.pass as number,
      start: granule.time,
      stream: granule.stream as string,
      number: granule.cycle as number,
      equator: granule.name,
      file: fileOf(granule),
    }),
    field: "ssh_karin",
    size: 3 * 9 * 5,
  },
];
const DEVIATING = swot(3, "PGC0", 8);
const OLD_RECORD = grace(2025, 3, 5, 2);

interface Answer {
  readonly what: string;
  readonly wrong: readonly string[];
  readonly compared: number;
}

suite("whole collections in their producers' shapes, on a real Temporal server", {
  skip: missingTemporal() || missingPython(),
  timeout: 300_000,
}, () => {
  let world: World;
  let announcer: Announcer;
  const home = (path: string): string => join(world.settings.home, path);
  const pathOf = ({ name }: Granule): string => home(`in/${name}`);

  before(async () => {
    world = await World.start();
    announcer = new Announcer(world.client, world.ledger);
    const all = [...CASES.flatMap(({ granules }) => granules), DEVIATING, OLD_RECORD];
    await runPython("collection_granules.py", [home("in")], all);
    // With every version, as Parquet in the place of the references to the archive, and with coordinates made of attributes.
    const change = (text: string): string =>
      text
        .replace(/^ {4}cmr: .*\n/gm, "")
        .replace(/, collection: [^,}]+(, granules: .*)? \}$/gm, " }")
        .replace(/- kerchunk-json:\n( +to: \S+)-https$/gm, "- kerchunk-parquet:\n$1-parquet")
        .replace('stream: "{stream}"', '$&, number: "@cycle_number", equator: "@equator_time"')
        .replaceAll("every: 1d", "every: 0s");
    const datasets = await localExample("podaac-collections.yaml", { at: home("in/"), home: world.settings.home, change });
    assert.deepEqual(datasets.map(({ name }) => name).sort(), CASES.map(({ dataset }) => dataset).sort());
    await applyDatasets(world.client, world.ledger, datasets);
  });
  after(() => world?.stop());

  async function announce(granule: Granule): Promise<string> {
    const [announced] = await announcer.announce({ uri: pathToFileURL(pathOf(granule)).href, by: "test", heardMs: Date.now() });
    assert.ok(announced !== undefined, granule.name);
    return announced.workflowId;
  }

  const published = (dataset: string, count: number): Promise<void> =>
    world.until(async () => (await world.ledger.counts(dataset)).published === count, `${dataset} has ${count}`);

  /** The form's place once it shows the newest version. */
  async function placeOf(form: string, sequence: number): Promise<string> {
    let path = "";
    await world.until(async () => {
      const pointer = JSON.parse(await readFile(home(`forms/${form}/pointer.json`), "utf8").catch(() => "{}"));
      path = home(`forms/${form}/${pointer.path}`);
      return pointer.sequence === sequence;
    }, `${form} shows version ${sequence}`);
    return path;
  }

  const firstGrace = (CASES[2] as Case).granules[0] as Granule;
  let firstRecord = "";

  test("all are published in any order; another size waits for a decision, an older record is superseded", async () => {
    for (const { granules, late } of CASES)
      for (const granule of granules.filter((_, index) => !late.includes(index)).toReversed()) await announce(granule);
    for (const { dataset, granules, late } of CASES) await published(dataset, granules.length - late.length);
    firstRecord = (await world.ledger.publications("grace-mascons", "collection", 1))[0]?.snapshot as string;
    for (const { granules, late } of CASES) for (const index of late) await announce(granules[index] as Granule);
    const deviating = await announce(DEVIATING);
    for (const { dataset, granules, dimension } of CASES) await published(dataset, dimension === null ? 1 : granules.length);
    const { reason } = (await world.inStage(deviating, "quarantined")) as GranuleStatus;
    assert.match(reason ?? "", /latitude shape: found \[8,5\], expected \[9,5\]/);
    await world.until(
      async () => (await world.ledger.counts("grace-mascons")).superseded === 1,
      "the first record is superseded",
    );
    await announce(OLD_RECORD);
    await world.until(async () => (await world.ledger.counts("grace-mascons")).superseded === 2, "an older one is superseded");
    assert.equal((await world.ledger.counts("grace-mascons")).published, 1);
  });

  test("Icechunk, kerchunk JSON and Parquet are what xarray makes of the files; earlier versions stay", async () => {
    const asked = [];
    for (const { dataset, granules, dimension, made } of CASES) {
      const [newest] = await world.ledger.publications(dataset, "collection", 1);
      assert.ok(newest !== undefined);
      const shown = dimension === null ? granules.slice(-1) : granules;
      const values = made === undefined ? [] : Object.keys(made(shown[0] as Granule));
      const common = {
        dimension,
        files: shown.map(pathOf),
        isNew: dimension === "granule",
        made: Object.fromEntries(values.map((name) => [name, shown.map((granule) => made?.(granule)[name])])),
      };
      const json = await placeOf(`${dataset}-s3`, newest.sequence);
      const parquet = await placeOf(`${dataset}-parquet`, newest.sequence);
      const places = {
        icechunk: [home(`stores/${dataset}`), newest.snapshot],
        json: [json, "references"],
        parquet: [parquet, "references"],
      };
      for (const [form, [store, version]] of Object.entries(places))
        asked.push({ what: `${dataset} ${form}`, store, version, ...common });
    }
    const store = home("stores/grace-mascons");
    const first = { dimension: null, files: [pathOf(firstGrace)], isNew: false, made: {} };
    asked.push({ what: "the first record", store, version: firstRecord, ...first });
    const answers: Answer[] = JSON.parse(await runPython("compare_collections.py", [], asked));
    assert.deepEqual(
      answers.flatMap(({ what, wrong }) => wrong.map((text) => `${what}: ${text}`)),
      [],
    );
    assert.equal(answers.length, asked.length);
    for (const { what, compared } of answers) assert.ok(compared >= 50, `${what}: ${compared} compared`);
  });

  for (const { dataset, what, field, size, made } of CASES) {
    const readers = made === undefined ? "zarrita reads" : "zarrita and GDAL, which reads no text, read";
    test(`${dataset}: ${what}; ${readers} it`, async () => {
      const [newest] = await world.ledger.publications(dataset, "collection", 1);
      const json = await placeOf(`${dataset}-s3`, newest?.sequence as number);
      const values = await throughZarrita(json, field);
      assert.equal(values.length, size);
      assert.ok(new Set(values).size > size / 2, "values differ");
      if (made === undefined) return;
      assert.deepEqual(await throughGdal(json, field), values);
    });
  }
});
