import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isFreshetError } from "../../src/errors/index.ts";
import { type ExpectedGroup, FileComparer, missingPython } from "../support/python.ts";
import { missingShared, SHARED } from "../witness/real-files.ts";
import { compareNewest, handIn, inOrder, publishFiles, workshopFor } from "./real-shop.ts";
import type { Workshop } from "./workshop.ts";

const OURS = fileURLToPath(new URL("../data/netcdf4", import.meta.url));

let workshop: Workshop;
const comparer = new FileComparer();
afterEach(() => workshop?.stop());
after(() => comparer.stop());

/** A dataset file over the workshop's folder. */
async function start(match: string, runs: string, forecast: string, more = ""): Promise<void> {
  workshop = await workshopFor(`
name: real
from: { source: s }
match: "${match}"
runs: ${runs}
products: [ { forecast: { ${forecast}, store: "store" } } ]
${more}
`);
}

const deliver = (paths: readonly string[]) => publishFiles(workshop, paths);
const compare = (expected: Readonly<Record<string, ExpectedGroup>>, atLeast: number) =>
  compareNewest(comparer, workshop, expected, atLeast);

describe("real forecasts, read by xarray and held against their files", { skip: missingPython(), timeout: 300_000 }, () => {
  test("MOGREPS-UK, one lead of three runs, the first one late", async () => {
    await start(
      "{run:%Y%m%dT%H%M}Z-PT{lead:4h}H-temperature_at_screen_level.nc",
      '{ every: 1d, at: "03:00Z", leads: 12h }',
      "views: [best, fmrc, { offset: 12h }]",
    );
    const files = await inOrder(OURS, /^201706.*screen_level/);
    const [first, second, third] = files as [string, string, string];
    await deliver([second, third, first]);
    const cells = files.map((path, index) => [index, path, 0]);
    const dims = ["time"];
    await compare(
      {
        best: { dims, axis: "time", cells },
        "offset/12h": { dims, axis: "time", cells },
        fmrc: { dims: ["run", "lead"], axis: "time", cells: files.map((path, index) => [index, 0, path, 0]) },
      },
      90,
    );
  });

  test("MOGREPS-UK, six runs of one valid time: the run is the valid time in the name less its lead, best shows the newest", {
    skip: missingShared(),
  }, async () => {
    await start(
      "{valid:%Y%m%dT%H%M}Z-PT{lead:4h}H00M-{what}.nc",
      "{ every: 1h, leads: 5h..10h/1h }",
      "views: [best, fmrc]",
      "scan: { drop: [realization] }",
    );
    const files = await inOrder(join(SHARED, "series-mogreps-uk-time-lagged"), /nc$/);
    await deliver([...files].reverse());
    await compare(
      {
        best: { dims: ["time"], axis: "time", cells: [[0, files[0] as string, 0]], without: ["realization"] },
        fmrc: {
          dims: ["run", "lead"],
          axis: "time",
          cells: files.map((path, lead) => [5 - lead, lead, path, 0]),
          without: ["realization"],
        },
      },
      70,
    );
  });

  test("MOGREPS-UK, time-lagged: each run has other members of the ensemble, and the drift says which", {
    skip: missingShared(),
  }, async () => {
    await start("{valid:%Y%m%dT%H%M}Z-PT{lead:4h}H00M-{what}.nc", "{ every: 1h, leads: 5h..10h/1h }", "views: [best]");
    const [first, second] = (await inOrder(join(SHARED, "series-mogreps-uk-time-lagged"), /nc$/)) as [string, string];
    await handIn(workshop, first);
    await assert.rejects(
      handIn(workshop, second),
      (error) =>
        isFreshetError(error, "drift") && /\/realization values: found \[12,13,14\], expected \[15,16,17\]/.test(error.message),
    );
  });

  test("ECMWF, accumulations: the run is the file's own coordinate, and intervals keep their bounds", {
    skip: missingShared(),
  }, async () => {
    await start("{valid:%Y%m%dT%H%M}Z-{what}.nc", "{ every: 1d, leads: 12h..33h/3h }", "views: [latest, fmrc, best]");
    const files = await inOrder(join(SHARED, "series-ecmwf-uk-1run-8leads"), /nc$/);
    await deliver([3, 0, 1, 2, 7, 6, 5, 4].map((index) => files[index] as string));
    await compare(
      {
        latest: { dims: ["time"], axis: "time", cells: files.map((path, lead) => [lead, path, 0]) },
        fmrc: { dims: ["run", "lead"], axis: "time", cells: files.map((path, lead) => [0, lead, path, 0]) },
      },
      200,
    );
  });

  test("GFS, hours since each run: no drift; the run whose axis has another name and length is", {
    skip: missingShared(),
  }, async () => {
    await start("GFS_Puerto_Rico_191km_{run:%Y%m%d_%H}00.nc", "{ every: 1d, leads: 12h..240h/12h }", "views: [best, fmrc, run]");
    const [first, middle, last] = (await inOrder(join(SHARED, "set2/netcdf3/gfs-puerto-rico-fmrc-3"), /nc$/)) as [
      string,
      string,
      string,
    ];
    await deliver([first, last]);
    await assert.rejects(
      handIn(workshop, middle),
      (error) => isFreshetError(error, "drift", "unsupported") && /time/.test(error.message),
    );
    const steps = Array.from({ length: 20 }, (_, step) => step);
    await compare(
      {
        best: {
          dims: ["time"],
          axis: "time",
          cells: steps.flatMap((step) => [...(step < 4 ? [[step, first, step]] : []), [step + 4, last, step]]),
        },
        fmrc: {
          dims: ["run", "lead"],
          axis: "time",
          cells: steps.flatMap((step) => [
            [0, step, first, step],
            [2, step, last, step],
          ]),
        },
      },
      200,
    );
  });
});
