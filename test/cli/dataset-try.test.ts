import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { freshet } from "./cli.ts";

/** Names of NOAA's ocean forecasts before and after September 2024, for two of the models of one queue. */
const NOS = `
sources: { ofs: { at: "s3://noaa-nos-ofs-pds/" } }
---
name: "{ofs}"
with: { ofs: [dbofs, tbofs] }
from: { source: ofs }
match:
  - "{ofs}.{run:%Y%m%d}/nos.{ofs}.fields.{kind:n|f}{lead:3h}.{run:%Y%m%d}.t{run:%H}z.nc"
  - "{ofs}.t{run:%H}z.{run:%Y%m%d}.fields.{kind:n|f}{lead:3h}.nc"
products: [ { timeseries: { axis: ocean_time, calendar: { every: 3h }, store: "stores/{ofs}" } } ]
`;
const OLD = "s3://noaa-nos-ofs-pds/dbofs.20230314/nos.dbofs.fields.f003.20230314.t00z.nc";
const NEW = "s3://noaa-nos-ofs-pds/dbofs/netcdf/2024/09/14/dbofs.t06z.20240914.fields.n001.nc";

suite("freshet dataset try", () => {
  let folder: string;
  let file: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freshet-try-"));
    file = join(folder, "nos.yaml");
    await writeFile(file, NOS);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test("says which granule of which dataset a name is, whichever grammar knows it", async () => {
    const { code, stdout } = await freshet(["dataset", "try", file, OLD, NEW, "--json"]);
    assert.equal(code, 0);
    const [old, later] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(old, {
      name: OLD,
      dataset: "dbofs",
      key: "20230314T000000Z,003h,f",
      fields: { run: Date.UTC(2023, 2, 14), kind: "f", lead: 3 * 3_600_000 },
      valid: "2023-03-14T03:00:00Z",
    });
    assert.deepEqual([later.key, later.valid], ["20240914T060000Z,001h,n", "2024-09-14T07:00:00Z"]);
    assert.equal(later.trouble, "by its name without a place in timeseries");
  });

  test("ends with 1 for a name that no dataset knows, and for a place that the source may not name", async () => {
    for (const name of ["dbofs.t06z.20240914.stations.nowcast.nc", OLD.replace("noaa-nos-ofs-pds", "elsewhere")]) {
      const { code, stdout } = await freshet(["dataset", "try", file, name]);
      assert.equal(code, 1);
      assert.match(stdout, /no dataset of the file knows this name/);
    }
  });
});
