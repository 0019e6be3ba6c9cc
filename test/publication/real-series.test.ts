import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, describe, test } from "node:test";
import { isFreshetError } from "../../src/errors/index.ts";
import { type ExpectedGroup, FileComparer, missingPython } from "../support/python.ts";
import { missingShared, SHARED } from "../witness/real-files.ts";
import { compareNewest, handIn, inOrder, publishFiles, useDocument, workshopFor } from "./real-shop.ts";
import type { Workshop } from "./workshop.ts";

let workshop: Workshop;
const comparer = new FileComparer();
afterEach(() => workshop?.stop());
after(() => comparer.stop());

/** One file after the other in the root. */
const line = (axis: string, paths: readonly string[], steps = 1, dimension = axis): Record<string, ExpectedGroup> => ({
  "": {
    dims: [dimension],
    axis,
    cells: paths.flatMap((path, slot) => Array.from({ length: steps }, (_, step) => [slot * steps + step, path, step])),
  },
});

describe("real series, read by xarray and held against its own concatenation of their files", {
  skip: missingPython() || missingShared(),
  timeout: 300_000,
}, () => {
  test("NEMO, 5-day means: the file's time is the middle of the days in its name, bounds stay with it", async () => {
    workshop = await workshopFor(`
name: nemo
from: { source: s }
match: "ORCA025-N06_{last:%Y%m%d}d05V.nc"
products: [ { timeseries: { axis: time_counter, calendar: { every: 5d, at: "2000-01-02T12:00Z" }, store: store } } ]
`);
    const files = await inOrder(join(SHARED, "series-nemo-orca025-5day"), /nc$/);
    await publishFiles(workshop, files, 3);
    await compareNewest(comparer, workshop, line("time_counter", files), 30);
  });

  test("BoM's radar, every 6 minutes: a scalar time", async () => {
    workshop = await workshopFor(`
name: bom
from: { source: s }
match: "2_{valid:%Y%m%d_%H%M%S}.prcp-cscn.nc"
products: [ { timeseries: { axis: valid_time, dimension: time, calendar: { every: 6m }, store: store } } ]
`);
    const files = await inOrder(join(SHARED, "series-bom-radar-6min"), /nc$/);
    await publishFiles(workshop, files, 40);
    await compareNewest(comparer, workshop, line("valid_time", files, 1, "time"), 10);
  });

  test("NWC SAF, every 15 minutes: the time stands in the name alone", async () => {
    workshop = await workshopFor(`
name: nwcsaf
from: { source: s }
match: "S_NWC_CRR_MSG4_Europe-VISIR_{valid:%Y%m%dT%H%M%SZ}.nc"
products: [ { timeseries: { calendar: { every: 15m }, store: store } } ]
`);
    const files = await inOrder(join(SHARED, "series-nwcsaf-crr-15min"), /nc$/);
    await publishFiles(workshop, files, 5);
    await compareNewest(comparer, workshop, line("time", files), 10);
  });

  test("ROMS, 73 steps to a file, each file one chunk: the calendar has to say where files begin", async () => {
    const romsFrom = (calendar: string): string => `
name: roms
from: { source: s }
match: "roms_his_{number:4}.nc"
products: [ { timeseries: { axis: ocean_time, calendar: ${calendar}, store: store } } ]
`;
    workshop = await workshopFor(romsFrom('{ every: 5d, at: "2022-01-02T00:00Z" }'));
    const files = await inOrder(join(SHARED, "series-roms-his-73steps"), /nc$/);
    await assert.rejects(
      handIn(workshop, files[0] as string),
      (error) =>
        isFreshetError(error, "drift") && /granules of 73 steps follow each other from .*`calendar.from`/.test(error.message),
    );
    useDocument(workshop, romsFrom('{ every: 5d, at: "2022-01-02T00:00Z", from: 2022-01-02 }'));
    await publishFiles(workshop, files, 4);
    await compareNewest(comparer, workshop, line("ocean_time", files, 73), 150);
  });

  test("SFBOFS, a day of FVCOM: times of float32 are 14 seconds off, and stand for whole hours", async () => {
    workshop = await workshopFor(`
name: sfbofs
from: { source: s }
match: "SFBOFS_{what}.nc"
products: [ { timeseries: { calendar: { every: 1h, from: 2024-05-23 }, store: store } } ]
`);
    const files = await inOrder(join(SHARED, "set2/netcdf4/nos-ofs"), /^SFB/);
    await publishFiles(workshop, files);
    await compareNewest(comparer, workshop, line("time", files, 10), 40);
  });

  test("DBOFS, a nowcast of ROMS: what lacks the time axis is kept once, though nothing names it", async () => {
    workshop = await workshopFor(`
name: dbofs
from: { source: s }
match: "dbofs_{what}.nc"
products: [ { timeseries: { axis: ocean_time, calendar: { every: 1h }, store: store } } ]
`);
    const files = await inOrder(join(SHARED, "set2/netcdf4/nos-ofs"), /^dbofs/);
    await publishFiles(workshop, files);
    await compareNewest(comparer, workshop, line("ocean_time", files), 30);
  });
});
