import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { compileNames, type Dataset, fieldsAt, granuleTimeOf, parseDatasetFile } from "../../src/dataset/index.ts";

const folder = fileURLToPath(new URL("../../datasets/", import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith(".yaml"));

function datasetsOf(name: string): readonly Dataset[] {
  const file = join(folder, name);
  return parseDatasetFile(readFileSync(file, "utf8"), { file }).datasets;
}

/** Which granule of which dataset of a file a uri is: `DATASET KEY VALID`, without the last where the name has no such field; nothing where none knows it. */
function known(file: string, uri: string): string[] {
  return datasetsOf(file).flatMap((dataset) => {
    const names = compileNames(dataset.match);
    const fields = uri.includes("://") ? fieldsAt(dataset.source, names, uri) : names.match(uri);
    if (fields === undefined) return [];
    const valid = granuleTimeOf(dataset, fields);
    const time = valid === undefined ? "" : ` ${new Date(valid).toISOString().replace(":00.000Z", "Z")}`;
    return [`${dataset.name} ${names.key(fields)}${time}`];
  });
}

/** Their granules are known by messages. */
const NAMELESS = ["mogreps-aws.yaml"];

const NAMES: readonly (readonly [file: string, uri: string, granule: string | undefined])[] = [
  [
    "nos-ofs.yaml",
    "s3://noaa-nos-ofs-pds/tbofs.20230314/nos.tbofs.fields.n002.20230314.t00z.nc",
    "tbofs-fields 20230314T000000Z,002h,n 2023-03-13T20:00Z",
  ],
  [
    "nos-ofs.yaml",
    "s3://noaa-nos-ofs-pds/dbofs/netcdf/2024/09/14/dbofs.t06z.20240914.fields.f001.nc",
    "dbofs-fields 20240914T060000Z,001h,f 2024-09-14T07:00Z",
  ],
  [
    "nos-ofs.yaml",
    "s3://noaa-nos-ofs-pds/dbofs.20240914/nos.dbofs.fields.f001.20240914.t06z.nc",
    "dbofs-fields 20240914T060000Z,001h,f 2024-09-14T07:00Z",
  ],
  [
    "nos-ofs.yaml",
    "s3://noaa-nos-ofs-pds/leofs/netcdf/2024/09/14/leofs.t12z.20240914.fields.f120.nc",
    "leofs-fields 20240914T120000Z,120h,f 2024-09-19T12:00Z",
  ],
  [
    "nos-ofs.yaml",
    "s3://noaa-nos-ofs-pds/creofs.20230314/nos.creofs.fields.f048.20230314.t09z.nc",
    "creofs-fields 20230314T090000Z,048h,f 2023-03-16T09:00Z",
  ],
  // Other files of a model, another bucket: of no dataset.
  ["nos-ofs.yaml", "s3://noaa-nos-ofs-pds/tbofs.20230314/nos.tbofs.stations.nowcast.20230314.t00z.nc", undefined],
  ["nos-ofs.yaml", "s3://noaa-nos-ofs-pds/tbofs.20230314/nos.tbofs.fields.forecast.20230314.t00z.nc", undefined],
  ["nos-ofs.yaml", "s3://elsewhere/tbofs.20230314/nos.tbofs.fields.n002.20230314.t00z.nc", undefined],
  [
    "rtofs.yaml",
    "s3://noaa-nws-rtofs-pds/rtofs.20240914/rtofs_glo_2ds_f024_prog.nc",
    "rtofs-2ds-prog 20240914T000000Z,024h,f 2024-09-15T00:00Z",
  ],
  ["rtofs.yaml", "s3://noaa-nws-rtofs-pds/rtofs.20240914/rtofs_glo_3dz_f024_6hrly_hvr_US_east.nc", undefined],
  [
    "mur-sst.yaml",
    "s3://podaac-ops-cumulus-protected/MUR-JPL-L4-GLOB-v4.1/20240601090000-JPL-L4_GHRSST-SSTfnd-MUR-GLOB-v02.0-fv04.1.nc",
    "mur-sst 20240601T090000Z 2024-06-01T09:00Z",
  ],
  [
    "podaac-collections.yaml",
    "https://archive.podaac.earthdata.nasa.gov/podaac-ops-cumulus-protected/CCMP_WINDS_10M6HR_L4_V3.1/CCMP_Wind_Analysis_19930102_V03.1_L4.nc",
    "ccmp-winds 19930102T000000Z 1993-01-02T00:00Z",
  ],
  [
    "podaac-collections.yaml",
    "s3://podaac-ops-cumulus-protected/OSCAR_L4_OC_FINAL_V2.0/oscar_currents_final_20200229.nc",
    "oscar-currents 20200229T000000Z 2020-02-29T00:00Z",
  ],
  [
    "podaac-collections.yaml",
    "s3://podaac-ops-cumulus-protected/TELLUS_GRAC-GRFO_MASCON_CRI_GRID_RL06.3_V4/GRCTellus.JPL.200204_202505.GLO.RL06.3M.MSCNv04CRI.nc",
    "grace-mascons 20020401T000000Z,20250501T000000Z 2025-05-01T00:00Z",
  ],
  [
    "podaac-collections.yaml",
    "s3://podaac-ops-cumulus-protected/SCATSAT1_ESDR_L2_WIND_STRESS_V1.1/2018/091/measures_esdr_scatsat_l2_wind_stress_08002_v1.1_s20180401-011908-e20180401-025826.nc",
    "scatsat-winds 20180401T025826Z,20180401T011908Z,8002 2018-04-01T01:19:08.000Z",
  ],
  [
    "podaac-collections.yaml",
    "https://archive.swot.podaac.earthdata.nasa.gov/podaac-swot-ops-cumulus-protected/SWOT_L2_LR_SSH_2.0/SWOT_L2_LR_SSH_Basic_008_497_20240104T123456_20240104T132624_PIC0_01.nc",
    "swot-ssh-basic 20240104T132624Z,20240104T123456Z,0,1,8,497,PIC 2024-01-04T12:34:56.000Z",
  ],
  [
    "podaac-collections.yaml",
    "s3://podaac-swot-ops-cumulus-protected/SWOT_L2_LR_SSH_2.0/SWOT_L2_LR_SSH_Expert_008_497_20240104T123456_20240104T132624_PIC0_01.nc",
    undefined,
  ],
  [
    "rdps.yaml",
    "https://hpfx.collab.science.gc.ca/20260401/WXO-DD/model_rdps/10km/06/012/20260401T06Z_MSC_RDPS_AirTemp_AGL-2m_RLatLon0.09_PT012H.grib2",
    "rdps-temperature 20260401T060000Z,012h 2026-04-01T18:00Z",
  ],
  [
    "rdps.yaml",
    "https://hpfx.collab.science.gc.ca/20260401/WXO-DD/model_rdps/10km/06/083/20260401T06Z_MSC_RDPS_PrecipRate_Sfc_RLatLon0.09_PT083H.grib2",
    "rdps-precipitation 20260401T060000Z,083h 2026-04-04T17:00Z",
  ],
];

describe("the example dataset files", () => {
  test("are valid, each has a line in the README, and all may be applied together", () => {
    const page = readFileSync(join(folder, "README.md"), "utf8");
    const names = new Set<string>();
    const stores = new Set<string>();
    for (const file of files) {
      assert.ok(page.includes(`| [${file}](${file}) |`), `${file} has no line`);
      for (const { name, products } of datasetsOf(file)) {
        assert.ok(!names.has(name), `${name} twice`);
        names.add(name);
        for (const { store } of products) {
          assert.ok(!stores.has(store), `${store} twice`);
          stores.add(store);
        }
      }
    }
    assert.ok(names.size > 15, `${names.size} datasets`);
  });

  for (const [file, uri, granule] of NAMES) {
    test(`${file}: ${uri.split("/").at(-1)} is ${granule === undefined ? "of no dataset" : "known"}`, () => {
      assert.deepEqual(known(file, uri), granule === undefined ? [] : [granule]);
    });
  }

  test("the README's lines to try are known names", () => {
    const page = readFileSync(join(folder, "README.md"), "utf8");
    const lines = [...page.matchAll(/`freshet dataset try datasets\/(\S+\.yaml) ([^`]+)`/g)];
    assert.equal(lines.length, files.length - NAMELESS.length);
    for (const [, file, uris] of lines) {
      for (const uri of (uris as string).split(" ")) assert.equal(known(file as string, uri).length, 1, uri);
    }
  });
});
