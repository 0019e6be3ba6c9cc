import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { type Dates, dateOfDays, writtenInstant } from "../../src/dataset/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import { decodeTime, encodeTime, readTimeEncoding } from "../../src/products/cf-time.ts";
import { randomFrom } from "../model/commands.ts";
import { missingPython, PYTHON } from "../support/python.ts";

/*
 * What cftime 1.6.6 (num2date, then minus 1970-01-01 in the same calendar) makes of the values 0, 1, -1, 1.5 and 736695.25:
 * milliseconds since 1970. The last test asks it again where Python is there.
 */
const VALUES = [0, 1, -1, 1.5, 736695.25];
const BY_CFTIME: Readonly<Record<string, readonly number[]>> = {
  "seconds since 1981-01-01 00:00:00": [347155200000, 347155201000, 347155199000, 347155201500, 347891895250],
  "seconds since 1970-01-01T00:00:00Z": [0, 1000, -1000, 1500, 736695250],
  "hours since 1900-01-01 00:00:0.0": [-2208988800000, -2208985200000, -2208992400000, -2208983400000, 443114100000],
  "days since 1800-1-1 00:00:00": [-5364662400000, -5364576000000, -5364748800000, -5364532800000, 58285807200000],
  "minutes since 2000-02-29 23:59:59": [951868799000, 951868859000, 951868739000, 951868889000, 996070514000],
  "hours since 1970-01-01 00:00:00 +01:00": [-3600000, 0, -7200000, 1800000, 2652099300000],
  "hours since 1970-01-01 00:00:00 -0330": [12600000, 16200000, 9000000, 18000000, 2652115500000],
  "days since 1582-10-15": [-12219292800000, -12219206400000, -12219379200000, -12219163200000, 51431176800000],
  "sec since 2001-09-09 01:46:40 UTC": [1000000000000, 1000000001000, 999999999000, 1000000001500, 1000736695250],
  "d since 2024-02-29": [1709164800000, 1709251200000, 1709078400000, 1709294400000, 65359634400000],
  "h since 2000-01-01 12:00": [946728000000, 946731600000, 946724400000, 946733400000, 3598830900000],
  "hrs since 1999-12-31T23:00:00.5": [946681200500, 946684800500, 946677600500, 946686600500, 3598784100500],
  "Seconds Since 1970-01-01": [0, 1000, -1000, 1500, 736695250],
};
const BEFORE_THE_REFORM: Readonly<Record<string, readonly number[]>> = {
  "days since 0001-01-01 00:00:00": [-62135596800000, -62135510400000, -62135683200000, -62135467200000, 1514872800000],
  "days since 1582-10-14": [-12219379200000, -12219292800000, -12219465600000, -12219249600000, 51431090400000],
};

describe("CF times", () => {
  for (const [units, expected] of Object.entries(BY_CFTIME)) {
    test(`${units}: the instants that cftime finds, in the standard calendar and the proleptic one`, () => {
      for (const calendar of ["standard", "Gregorian", "proleptic_gregorian"]) {
        const encoding = readTimeEncoding(units, calendar);
        assert.deepEqual(
          VALUES.map((value) => decodeTime(encoding, value)),
          expected,
        );
      }
    });
  }

  for (const [units, expected] of Object.entries(BEFORE_THE_REFORM)) {
    test(`${units}: read in the proleptic calendar, refused in the standard one, where these are Julian dates`, () => {
      const encoding = readTimeEncoding(units, "proleptic_gregorian");
      assert.deepEqual(
        VALUES.map((value) => decodeTime(encoding, value)),
        expected,
      );
      assert.throws(
        () => readTimeEncoding(units, "standard"),
        (error) => isFreshetError(error, "unsupported") && /before the Gregorian calendar/.test(error.message),
      );
    });
  }

  for (const units of [
    "days since 2001-02-29",
    "days since 2000-13-01",
    "days since 2000-00-01",
    "hours since 2000-01-01 24:00:00",
    "hours since 2000-01-01 10:60:00",
    "hours since 2000-01-01 10:00:60",
  ]) {
    test(`${units}: refused as cftime refuses it, since there is no such date`, () => {
      assert.throws(
        () => readTimeEncoding(units),
        (error) => isFreshetError(error, "unsupported") && /date that does not exist/.test(error.message),
      );
    });
  }

  for (const units of [
    "months since 2000-01-01",
    "years since 2000-01-01",
    "fortnights since 2000-01-01",
    "days since yesterday",
    "days since 2000-01-01 06",
    "hours since 1970-01-01 00:00:00+5",
    "days",
    "",
  ]) {
    test(`${JSON.stringify(units)}: refused, because its readers would not agree or there is nothing to read`, () => {
      assert.throws(
        () => readTimeEncoding(units),
        (error) => isFreshetError(error, "unsupported") && error.message.includes(JSON.stringify(units)),
      );
    });
  }

  test("a calendar that is not the product's is drift that names the setting; what is no calendar is refused", () => {
    for (const calendar of ["360_day", "noleap", "366_day"]) {
      assert.throws(
        () => readTimeEncoding("days since 2000-01-01", calendar),
        (error) => isFreshetError(error, "drift") && /calendar: \{ dates: (360_day|noleap|all_leap) \}/.test(error.message),
      );
    }
    assert.throws(
      () => readTimeEncoding("days since 2000-01-01", "standard", { dates: "noleap" }),
      (error) => isFreshetError(error, "drift") && /found standard, expected noleap/.test(error.message),
    );
    for (const calendar of ["none", "tai", "utc"]) {
      assert.throws(
        () => readTimeEncoding("days since 2000-01-01", calendar),
        (error) => isFreshetError(error, "unsupported") && error.message.includes(calendar),
      );
      assert.equal(readTimeEncoding("days since 1970-01-02", calendar, { fileCalendar: "as-standard" }).epochMs, 86_400_000);
    }
  });

  test("times labelled julian are the dates that they say, where both calendars have the same; elsewhere one has to say what they mean", () => {
    // IMERG counts Unix seconds, OSCAR days since 1990: 2020-01-01 in both, as their names say.
    const imerg = readTimeEncoding("seconds since 1970-01-01 00:00:00 UTC", "julian");
    assert.equal(decodeTime(imerg, 1_577_836_800), Date.UTC(2020, 0, 1));
    assert.equal(decodeTime(readTimeEncoding("days since 1990-1-1", "julian"), 10_957), Date.UTC(2020, 0, 1));
    const early = readTimeEncoding("days since 1800-01-01", "julian");
    const days = (Date.UTC(2020, 0, 1) - Date.UTC(1800, 0, 1)) / 86_400_000;
    assert.equal(decodeTime(early, days + 2), Date.UTC(2020, 0, 1));
    assert.throws(() => decodeTime(early, 5), /March 1900 to February 2100.*calendar-of-file: as-standard/s);
    const asStandard = readTimeEncoding("days since 1800-01-01", "julian", { fileCalendar: "as-standard" });
    assert.equal(decodeTime(asStandard, days), Date.UTC(2020, 0, 1));
  });

  test("any date of any calendar, from any other, in any units: the date that cftime finds", { skip: missingPython() }, () => {
    const random = randomFrom(20261121);
    const below = (limit: number): number => Math.floor(random() * limit);
    const cases = Array.from({ length: 1500 }, () => {
      const dates = (["julian", "noleap", "all_leap", "360_day", "standard"] as const)[below(5)] as Dates;
      const { year, month, day } = dateOfDays(dates, below(900_000) - 600_000);
      const unit = ["days", "hours", "minutes", "seconds", "milliseconds"][below(5)] as string;
      const most = { days: 200_000, hours: 5e6, minutes: 3e8, seconds: 1e10, milliseconds: 1e13 }[unit] as number;
      const value = Math.floor(random() * most);
      const clock = `${below(24)}:${below(60)}:${below(60)}`;
      const calendar = {
        julian: "julian",
        noleap: "365_day",
        all_leap: "all_leap",
        "360_day": "360_day",
        standard: "proleptic_gregorian",
      }[dates];
      return { dates, calendar, units: `${unit} since ${String(year).padStart(4, "0")}-${month}-${day} ${clock}`, value };
    }).filter(({ units, dates }) => !units.includes("since 0000") || dates === "360_day");
    cases.push({ dates: "360_day", calendar: "360_day", units: "months since 1955-02-30 12:00:00", value: 366 });
    cases.push({ dates: "noleap", calendar: "noleap", units: "common_years since 1955-03-01", value: 41 });
    const script = `
import cftime, json, sys
def text(value, units, calendar):
    d = cftime.num2date(value, units, calendar)
    return "%04d-%02d-%02dT%02d:%02d:%02d%s" % (d.year, d.month, d.day, d.hour, d.minute, d.second, "" if d.microsecond == 0 else ".%03d" % (d.microsecond // 1000))
print(json.dumps([text(c["value"], c["units"], c["calendar"]) for c in json.load(sys.stdin)]))`;
    const answer = execFileSync(PYTHON as string, ["-c", script], { input: JSON.stringify(cases), encoding: "utf8" });
    const found = cases.map(({ units, calendar, value, dates }) =>
      writtenInstant(dates, decodeTime(readTimeEncoding(units, calendar, { dates }), value)).replace("Z", ""),
    );
    assert.deepEqual(found, JSON.parse(answer));
  });

  test("a 64-bit value is decoded exactly, and NaN stays NaN", () => {
    const encoding = readTimeEncoding("seconds since 1970-01-01");
    assert.equal(decodeTime(encoding, 1_496_415_600n), 1_496_415_600_000);
    assert.ok(Number.isNaN(decodeTime(encoding, Number.NaN)));
  });

  test("encoding is the inverse of decoding", () => {
    for (const units of Object.keys(BY_CFTIME)) {
      const encoding = readTimeEncoding(units);
      for (const value of [0, 1, -1, 17_000]) assert.equal(encodeTime(encoding, decodeTime(encoding, value)), value);
    }
  });

  test("the tables above are what cftime says today", { skip: missingPython() }, () => {
    const script = `
import cftime, json, sys
def ms(value, units, calendar):
    d = cftime.num2date(value, units, calendar)
    t = d - cftime.datetime(1970, 1, 1, calendar=calendar, has_year_zero=d.has_year_zero)
    return t.days * 86400000 + t.seconds * 1000 + t.microseconds / 1000
print(json.dumps({u: [ms(v, u, c) for v in ${JSON.stringify(VALUES)}] for u, c in json.loads(sys.argv[1]).items()}))`;
    const asked = Object.fromEntries([
      ...Object.keys(BY_CFTIME).map((units) => [units, "standard"]),
      ...Object.keys(BEFORE_THE_REFORM).map((units) => [units, "proleptic_gregorian"]),
    ]);
    const answer = execFileSync(PYTHON as string, ["-c", script, JSON.stringify(asked)], { encoding: "utf8" });
    assert.deepEqual(JSON.parse(answer), { ...BY_CFTIME, ...BEFORE_THE_REFORM });
  });
});
