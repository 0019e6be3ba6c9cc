import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { pathToFileURL } from "node:url";
import { type Dataset, parseDatasetFile } from "../../src/dataset/index.ts";
import { Announcer, applyDatasets } from "../../src/starters/index.ts";
import { localExample } from "../support/example-files.ts";
import { type ExpectedGroup, FileComparer, missingPython, runPython } from "../support/python.ts";
import { throughGdal, throughZarrita } from "../support/references.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { World } from "../support/world.ts";

const HOUR = 3600;
const pad = (value: number, length: number): string => String(value).padStart(length, "0");
const range = (from: number, to: number, step = 1): number[] =>
  Array.from({ length: (to - from) / step + 1 }, (_, index) => from + index * step);

/** A file of a model's run, as test/python/producer_granules.py writes it. */
interface Granule {
  readonly name: string;
  readonly model: string;
  /** Seconds since 1970. */
  readonly run: number;
  readonly valid: readonly number[];
  readonly isNowcast: boolean;
}

/** NOAA's models of coasts: nowcasts n000 to n006 are the six hours before the run. Names changed in September 2024. */
function nos(model: string, ofs: string, run: number, files: readonly string[]): Granule[] {
  const iso = new Date(run * 1000).toISOString();
  const [day, hour] = [iso.slice(0, 10).replaceAll("-", ""), iso.slice(11, 13)];
  const isOld = run < Date.UTC(2024, 8, 10) / 1000;
  return files.map((file) => {
    const isNowcast = file.startsWith("n");
    const valid = run + (Number(file.slice(1)) - (isNowcast ? 6 : 0)) * HOUR;
    const name = isOld
      ? `${ofs}.${day}/nos.${ofs}.fields.${file}.${day}.t${hour}z.nc`
      : `${ofs}/netcdf/${iso.slice(0, 10).replaceAll("-", "/")}/${ofs}.t${hour}z.${day}.fields.${file}.nc`;
    return { name, model, run, valid: [valid], isNowcast };
  });
}

function rtofs(run: number, files: readonly string[]): Granule[] {
  const day = new Date(run * 1000).toISOString().slice(0, 10).replaceAll("-", "");
  return files.map((file) => {
    const isNowcast = file.startsWith("n");
    const valid = run + (Number(file.slice(1)) - (isNowcast ? 24 : 0)) * HOUR;
    return { name: `rtofs.${day}/rtofs_glo_2ds_${file}_prog.nc`, model: "rtofs", run, valid: [valid], isNowcast };
  });
}

function wave(run: number, leads: readonly number[]): Granule[] {
  const iso = new Date(run * 1000).toISOString();
  const [day, hour] = [iso.slice(0, 10).replaceAll("-", ""), iso.slice(11, 13)];
  return leads.map((lead) => ({
    name: `gfs.${day}/${hour}/wave/gridded/gfswave.t${hour}z.global.0p16.f${pad(lead, 3)}.nc`,
    model: "wave",
    run,
    valid: [run + lead * HOUR],
    isNowcast: false,
  }));
}

interface Case {
  /** The dataset, and what it is in words. */
  readonly dataset: string;
  readonly what: string;
  readonly granules: readonly Granule[];
  readonly cycleHours: number;
  /** All leads of a run, hours, ascending. */
  readonly leads: readonly number[];
  readonly axis: string;
  readonly without?: readonly string[];
  /** An array of the view `best`, for readers other than xarray. */
  readonly field: string;
  readonly store: string;
  readonly form: string;
  readonly views: readonly string[];
}

const SEPTEMBER = (day: number, hour: number): number => Date.UTC(2024, 8, day, hour) / 1000;
const today = Math.floor(Date.now() / 86_400_000) * 86_400;
const NOS_LEADS = range(-6, 48);
const NOS_VIEWS = ["best", "latest", "fmrc"];
const RTOFS_LEADS = [...range(-24, 72), ...range(75, 192, 3)];
const nosCase = (ofs: string) => ({
  dataset: `${ofs}-fields`,
  cycleHours: 6,
  leads: NOS_LEADS,
  store: `stores/nos/${ofs}`,
  form: `forms/nos/${ofs}`,
  views: NOS_VIEWS,
});

const CASES: readonly Case[] = [
  {
    ...nosCase("dbofs"),
    what: "ROMS, under its old names",
    granules: [
      ...nos("roms", "dbofs", SEPTEMBER(1, 6), ["n000", "n005", "n006", "f000", "f001", "f002", "f048"]),
      ...nos("roms", "dbofs", SEPTEMBER(1, 12), ["n006", "f001"]),
    ],
    axis: "ocean_time",
    without: ["dstart", "ntimes"],
    field: "temp",
  },
  {
    ...nosCase("sfbofs"),
    what: "FVCOM, whose times are float32, from old names to new",
    granules: [
      ...nos("fvcom", "sfbofs", SEPTEMBER(9, 21), ["n006", "f001", "f007"]),
      ...nos("fvcom", "sfbofs", SEPTEMBER(10, 3), ["n001", "f001", "f002"]),
    ],
    axis: "time",
    without: ["Itime", "Itime2"],
    field: "zeta",
  },
  {
    ...nosCase("creofs"),
    what: "SELFE",
    granules: nos("selfe", "creofs", SEPTEMBER(14, 15), ["n003", "f001", "f002"]),
    axis: "time",
    field: "zeta",
  },
  {
    dataset: "rtofs-2ds-prog",
    what: "a run a day, hourly and then every 3 hours",
    granules: [...rtofs(today - 86_400, ["n024", "f024", "f072", "f075"]), ...rtofs(today, ["n023", "f003", "f192"])],
    cycleHours: 24,
    leads: RTOFS_LEADS,
    axis: "MT",
    field: "sst",
    store: "stores/rtofs/prog",
    form: "forms/rtofs/prog",
    views: ["best", "latest"],
  },
  {
    dataset: "gfs-wave",
    what: "scalar times, of which one is called as the run's",
    granules: [...wave(SEPTEMBER(1, 0), [0, 3, 9]), ...wave(SEPTEMBER(1, 6), [0, 6])],
    cycleHours: 6,
    leads: range(0, 12, 3),
    axis: "valid_time",
    field: "swh",
    store: "stores/gfs-wave",
    form: "forms/gfs-wave",
    views: ["best", "latest", "fmrc", "run", "offset/3h"],
  },
];

const WAVE = `
sources: { nomads: { at: s3://noaa-gfs-bdp-pds/ } }
---
name: gfs-wave
from: { source: nomads }
match: "gfs.{run:%Y%m%d}/{run:%H}/wave/gridded/gfswave.t{run:%H}z.global.0p16.f{lead:3h}.nc"
runs: { every: 6h, leads: 0h..12h/3h }
products:
  - forecast:
      axis: valid_time
      views: [best, latest, fmrc, run, { offset: 3h }]
      store: "../.freshet/stores/gfs-wave"
      also:
        - kerchunk-json: { to: "../.freshet/forms/gfs-wave", every: 1h }
publish: { coalesce: 10s }
`;

/** What stands in the views of a case, said as simply as can be: for each cell the file. */
function expectedViews(
  { granules, cycleHours, leads, axis, without, views }: Case,
  folder: string,
): Record<string, ExpectedGroup> {
  const leadOf = ({ run, valid }: Granule): number => ((valid[0] as number) - run) / HOUR;
  const pathOf = ({ name }: Granule): string => join(folder, name);
  const standing = new Map<string, Granule>();
  // Of a nowcast and a forecast of one run and lead the nowcast.
  for (const granule of granules.toSorted((a, b) => Number(a.isNowcast) - Number(b.isNowcast)))
    standing.set(`${granule.run} ${leadOf(granule)}`, granule);
  const shown = [...standing.values()];
  const runs = granules.map(({ run }) => run);
  const firstRun = Math.min(...runs);
  const line = (cells: (number | string)[][]): ExpectedGroup => ({ dims: [axis], axis, cells, without: without ?? [] });
  const lineOfRun = (of: number): ExpectedGroup =>
    line(shown.filter(({ run }) => run === of).map((granule) => [leads.indexOf(leadOf(granule)), pathOf(granule), 0]));
  const best = new Map<number, Granule>();
  for (const granule of shown.toSorted((a, b) => Number(a.isNowcast) - Number(b.isNowcast) || a.run - b.run))
    best.set(granule.valid[0] as number, granule);
  const first = Math.min(...best.keys());
  const step = axis === "valid_time" ? 3 * HOUR : HOUR;
  const groups: Record<string, ExpectedGroup> = {
    best: line([...best].map(([valid, granule]) => [(valid - first) / step, pathOf(granule), 0])),
    latest: lineOfRun(Math.max(...runs)),
    fmrc: {
      ...line(shown.map((g) => [(g.run - firstRun) / HOUR / cycleHours, leads.indexOf(leadOf(g)), pathOf(g), 0])),
      dims: ["run", "lead"],
    },
    "offset/3h": line(shown.filter((g) => leadOf(g) === 3).map((g) => [(g.run - firstRun) / HOUR / cycleHours, pathOf(g), 0])),
  };
  const chosen = Object.entries(groups).filter(([name]) => views.includes(name));
  const each = views.includes("run") ? [...new Set(runs)] : [];
  const nameOfRun = (run: number): string => `run/${new Date(run * 1000).toISOString().slice(0, 16).replace(/[-:]/g, "")}Z`;
  return Object.fromEntries([...chosen, ...each.map((run) => [nameOfRun(run), lineOfRun(run)] as const)]);
}

suite("forecasts in their producers' shapes, on a real Temporal server", {
  skip: missingTemporal() || missingPython(),
  timeout: 300_000,
}, () => {
  let world: World;
  const comparer = new FileComparer();
  const home = (path: string): string => join(world.settings.home, path);

  before(async () => {
    world = await World.start();
    await runPython(
      "producer_granules.py",
      [home("in")],
      CASES.flatMap(({ granules }) => granules),
    );
    // With every version, and as Parquet too.
    const change = (text: string): string =>
      text
        .replaceAll("every: 1h", "every: 0s")
        .replace(/( +)- kerchunk-json: \{ to: "([^"]+)"/g, '$1- kerchunk-parquet: { to: "$2-parquet", every: 0s }\n$&');
    const example = (file: string) => localExample(file, { at: home("in/"), home: world.settings.home, change });
    const local = change(WAVE)
      .replace("s3://noaa-gfs-bdp-pds/", home("in/"))
      .replace("10s", "50ms")
      .replaceAll("../.freshet/", `${world.settings.home}/`);
    const wanted = CASES.map(({ dataset }) => dataset);
    const all = [
      ...(await example("nos-ofs.yaml")),
      ...(await example("rtofs.yaml")),
      ...parseDatasetFile(local, { file: home("wave.yaml") }).datasets,
    ].filter(({ name }) => wanted.includes(name)) as Dataset[];
    assert.equal(all.length, wanted.length);
    await applyDatasets(world.client, world.ledger, all);
  });
  after(async () => {
    comparer.stop();
    await world?.stop();
  });

  const published = async ({ dataset, granules }: Case): Promise<void> => {
    await world.until(async () => {
      const counts = await world.ledger.counts(dataset);
      assert.equal(counts.quarantined, 0, dataset);
      return counts.published === granules.length;
    }, `${dataset} is published`);
  };

  /** The form's pointer once it shows the newest version. */
  async function placeOf(form: string, sequence: number): Promise<string> {
    let path = "";
    await world.until(async () => {
      const pointer = JSON.parse(await readFile(home(`${form}/pointer.json`), "utf8").catch(() => "{}"));
      path = home(`${form}/${pointer.path}`);
      return pointer.sequence === sequence;
    }, `${form} shows version ${sequence}`);
    return path;
  }

  test("all of them are published, as they are announced or listed", async () => {
    const announcer = new Announcer(world.client, world.ledger);
    await world.client.schedule.getHandle("listing:rtofs").trigger();
    const announced = CASES.filter(({ dataset }) => !dataset.startsWith("rtofs")).flatMap(({ granules }) => granules);
    for (const { name } of announced) {
      const uri = pathToFileURL(home(`in/${name}`)).href;
      assert.equal((await announcer.announce({ uri, by: "test", heardMs: Date.now() })).length, 1, name);
    }
    for (const one of CASES) await published(one);
  });

  for (const one of CASES) {
    test(`${one.dataset}: ${one.what}; Icechunk, kerchunk JSON and Parquet are what xarray makes of the files`, async () => {
      const [newest] = await world.ledger.publications(one.dataset, "forecast", 1);
      assert.ok(newest !== undefined);
      const expected = expectedViews(one, home("in"));
      const json = await placeOf(one.form, newest.sequence);
      const parquet = await placeOf(`${one.form}-parquet`, newest.sequence);
      await comparer.compare(home(one.store), newest.snapshot as string, expected, 30);
      await comparer.compare(json, "references", expected, 30);
      await comparer.compare(parquet, "references", expected, 30);
      const read = await throughZarrita(json, `best/${one.field}`);
      assert.ok(read.length > 0);
      assert.deepEqual(await throughGdal(json, `best/${one.field}`), read);
    });
  }

  test("NOS: each granule has its references under the name that the pipeline gave it", async () => {
    const [granule] = (CASES[0] as Case).granules;
    const path = home("forms/nos-each/dbofs/nos/dbofs/nos.dbofs.fields.n000.20240901.t06z.nc.zarr");
    assert.ok(granule?.name.endsWith("nos.dbofs.fields.n000.20240901.t06z.nc"));
    assert.equal((await throughZarrita(path, "ocean_time")).length, 1);
  });
});
