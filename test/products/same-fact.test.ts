import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isSameFact } from "../../src/products/same-fact.ts";

const SAME: readonly (readonly [fact: string, a: string | undefined, b: string | undefined])[] = [
  ["units", "degrees_north", "degree_N"],
  ["units", "K", "kelvin"],
  ["units", "m s-1", "m/s"],
  ["units", "m s^-1", "meters second-1"],
  ["units", "m.s**-1", "m/s"],
  ["units", "kg m-2 s-1", "kg s-1 m-2"],
  ["units", "hPa", "mbar"],
  ["units", undefined, "1"],
  ["units", "", "1"],
  ["units", "seconds since 1981-01-01 00:00:00 UTC", "seconds since 1981-01-01T00:00:00Z"],
  ["units", "hours since 2000-1-1", "hours since 2000-01-01 00:00:00"],
  ["calendar", undefined, "standard"],
  ["calendar", "gregorian", "standard"],
  ["_FillValue", "-1 (int16)", "-1 (int32)"],
  ["_FillValue", "[-1] (int16)", "-1 (int16)"],
  ["flag_masks", "[1,2,4] (int8)", "[1,2,4] (uint8)"],
  ["flag_meanings", "land  sea", "land sea"],
  ["scale_factor", "[0.01] (float64)", "0.01 (float64)"],
];

const OTHER: typeof SAME = [
  ["units", "K", "degC"],
  ["units", "m", "km"],
  ["units", "m s-1", "m s-2"],
  ["units", "m/s", "m s"],
  ["units", "m/s/kg", "m s-1 kg-1"],
  ["units", "seconds", "s"],
  ["units", undefined, "K"],
  ["units", "fraction (between 0 and 1)", "1"],
  ["units", "seconds since 1981-01-01", "seconds since 1970-01-01"],
  ["units", "hours since 2000-01-01", "days since 2000-01-01"],
  ["calendar", "proleptic_gregorian", "standard"],
  ["calendar", "noleap", undefined],
  ["_FillValue", "-1 (int16)", undefined],
  ["_FillValue", "9.969209968386869e+36 (float32)", "9.96921e+36 (float64)"],
  ["scale_factor", "0.01 (float64)", "0.009999999776482582 (float32)"],
  ["scale_factor", "0.5 (float64)", "0.5 (float32)"],
  ["standard_name", "sea ice area fraction", "sea_ice_area_fraction"],
];

describe("facts that are written differently", () => {
  for (const [fact, a, b] of SAME) {
    test(`${fact} ${a} and ${b} say the same`, () => {
      assert.equal(isSameFact(fact, a, b), true);
      assert.equal(isSameFact(fact, b, a), true);
    });
  }
  for (const [fact, a, b] of OTHER) {
    test(`${fact} ${a} and ${b} do not`, () => {
      assert.equal(isSameFact(fact, a, b), false);
      assert.equal(isSameFact(fact, b, a), false);
    });
  }
});
