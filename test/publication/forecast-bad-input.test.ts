import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isFreshetError } from "../../src/errors/index.ts";
import { missingPython, runPython } from "../support/python.ts";
import { handIn, workshopFor } from "./real-shop.ts";
import type { Workshop } from "./workshop.ts";

const RUN = Date.UTC(2024, 8, 14, 6) / 1000;
const HOUR = 3600;

/** Files whose names say one thing and whose contents another: what is written, and hours after the run at which it is valid. */
const FILES = {
  "dbofs.t06z.20240914.fields.f001.nc": { model: "roms", hours: [1] },
  "dbofs.t06z.20240914.fields.f002.nc": { model: "roms", hours: [3] },
  "dbofs.t06z.20240914.fields.n003.nc": { model: "roms", hours: [3] },
  "dbofs.t06z.20240914.fields.f006.nc": { model: "roms", hours: [-3] },
  "dbofs.t07z.20240914.fields.f001.nc": { model: "roms", hours: [2] },
  "dbofs.t06z.20240914.fields.f009.nc": { model: "roms", hours: [9] },
  "dbofs.t06z.20240914.fields.f004.nc": { model: "fvcom", hours: [4] },
  "dbofs.t06z.20240914.fields.f005.nc": { model: "roms", hours: [5, 6] },
  "wave.t2024091406z.f003.nc": { model: "wave", hours: [3] },
  "wave.t2024091406z.f006.nc": { model: "wave", hours: [6], ownRun: RUN - 6 * HOUR },
  "pairs.t2024091406z.f000.nc": { model: "roms", hours: [0, 1] },
  "pairs.t2024091406z.f001.nc": { model: "roms", hours: [1, 2] },
} as const;

describe("files of forecasts that are not what they should be", { skip: missingPython(), timeout: 300_000 }, () => {
  const workshops: Workshop[] = [];
  let folder: string;
  before(async () => {
    workshops.push(
      await workshopFor(`
name: dbofs
from: { source: s }
match: "dbofs.t{run:%H}z.{run:%Y%m%d}.fields.{kind:n|f}{lead:3h}.nc"
runs: { every: 6h, leads: 0h..6h/1h, nowcast: { kind: n, valid: run-6h+lead, leads: 0h..6h/1h } }
scan: { drop: [dstart, ntimes] }
products: [ { forecast: { axis: ocean_time, views: [best, fmrc], store: store } } ]
`),
      await workshopFor(`
name: wave
from: { source: s }
match: "wave.t{run:%Y%m%d%H}z.f{lead:3h}.nc"
runs: { every: 6h, leads: 0h..6h/3h }
products: [ { forecast: { axis: valid_time, views: [best], store: store } } ]
`),
      await workshopFor(`
name: pairs
from: { source: s }
match: "pairs.t{run:%Y%m%d%H}z.f{lead:3h}.nc"
runs: { every: 6h, leads: 0h..5h/1h }
scan: { drop: [dstart, ntimes] }
products: [ { forecast: { axis: ocean_time, views: [best], store: store } } ]
`),
    );
    folder = join((workshops[0] as Workshop).folder, "made");
    const made = Object.entries(FILES).map(([name, { model, hours, ...more }]) => ({
      name,
      model,
      run: RUN,
      valid: hours.map((hour) => RUN + hour * HOUR),
      isNowcast: false,
      ...more,
    }));
    await runPython("producer_granules.py", [folder], made);
    for (const name of ["dbofs.t06z.20240914.fields.f001.nc", "wave.t2024091406z.f003.nc", "pairs.t2024091406z.f000.nc"] as const)
      await take(name);
  });
  after(() => Promise.all(workshops.map((workshop) => workshop.stop())));

  const take = (name: keyof typeof FILES) => {
    const workshop = workshops.find(({ dataset }) => name.startsWith(dataset.name)) as Workshop;
    return handIn(workshop, join(folder, name));
  };
  const refused = (name: keyof typeof FILES, words: RegExp) =>
    assert.rejects(take(name), (error) => {
      assert.ok(isFreshetError(error, "drift"), String(error));
      assert.match(error.message, words);
      return true;
    });

  test("name and file disagree on the lead: drift, with both times", () =>
    refused(
      "dbofs.t06z.20240914.fields.f002.nc",
      /own time is not the one in its name: found 2024-09-14T09:00:00Z, expected from 2024-09-14T08:00:00Z to before 2024-09-14T09:00:00Z.*Correct the name grammar, or skip/,
    ));

  test("name and file disagree on the run: drift, with both runs", () =>
    refused(
      "wave.t2024091406z.f006.nc",
      /own forecast reference time is not the one in its name: found 2024-09-14T00:00:00.*expected 2024-09-14T06:00:00/,
    ));

  test("a nowcast that is a forecast, and the other way round", async () => {
    await refused("dbofs.t06z.20240914.fields.n003.nc", /found 2024-09-14T09:00:00Z, expected from 2024-09-14T03:00:00Z/);
    await refused("dbofs.t06z.20240914.fields.f006.nc", /found 2024-09-14T03:00:00Z, expected from 2024-09-14T12:00:00Z/);
  });

  test("a run off the cycle has no place; the reason names it", () =>
    refused("dbofs.t07z.20240914.fields.f001.nc", /run 2024-09-14T07:00:00Z, which is not one of the cycle/));

  test("a lead that no run has has no place; the reason names it", () =>
    refused("dbofs.t06z.20240914.fields.f009.nc", /lead 9h, which no forecast of a run has/));

  test("a file of another model under this one's name: drift, before its fields are compared", () =>
    refused(
      "dbofs.t06z.20240914.fields.f004.nc",
      /does not fit the dataset: .*variable: found absent, expected present.*form is that of 20240914T060000Z,001h,f/,
    ));

  test("files whose leads overlap: one that has the next one's first step has no place", async () => {
    await refused("pairs.t2024091406z.f001.nc", /2 steps from step 2 of the run's 6 on: files of so many steps do not tile it/);
    await refused("dbofs.t06z.20240914.fields.f005.nc", /steps/);
  });
});
