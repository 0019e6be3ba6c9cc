import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Calendar, isOn, positionOf, timeAt } from "../../src/dataset/calendar.ts";
import { readCalendar } from "../../src/dataset/calendar-spec.ts";
import { DATES, dateOfDays, daysOfDate, fromReal, toReal, writtenInstant } from "../../src/dataset/dates.ts";
import { parseInstant } from "../../src/dataset/instant.ts";

const calendarOf = (spec: Parameters<typeof readCalendar>[0]): Calendar => {
  const reading = readCalendar(spec);
  assert.ok(reading.ok);
  return reading.calendar;
};
const days = (dates: (typeof DATES)[number], year: number, month: number, day: number): number =>
  daysOfDate(dates, { year, month, day }) as number;
const at = (text: string, dates: (typeof DATES)[number]): number => parseInstant(text, dates)?.ms as number;

describe("dates of calendars", () => {
  test("days and dates are each other's inverse, day after day, in every calendar", () => {
    for (const dates of DATES) {
      let before = dateOfDays(dates, -800_001);
      for (let days = -719_000; days < 60_000; days += 13) {
        const date = dateOfDays(dates, days);
        assert.equal(daysOfDate(dates, date), days, `${dates} ${JSON.stringify(date)}`);
        assert.ok(date.year * 512 + date.month * 32 + date.day > before.year * 512 + before.month * 32 + before.day);
        before = date;
      }
    }
  });

  test("days that a calendar does not have", () => {
    assert.equal(daysOfDate("noleap", { year: 2000, month: 2, day: 29 }), undefined);
    assert.equal(days("all_leap", 2001, 2, 29) - days("all_leap", 2001, 2, 28), 1);
    assert.equal(daysOfDate("360_day", { year: 2001, month: 1, day: 31 }), undefined);
    assert.equal(daysOfDate("julian", { year: 1900, month: 2, day: 29 }), days("julian", 1900, 3, 1) - 1);
    assert.equal(toReal("360_day", at("2001-02-30", "360_day")), undefined);
    assert.equal(fromReal("noleap", Date.UTC(2000, 1, 29)), undefined);
    assert.equal(writtenInstant("360_day", at("2001-02-30T12:00Z", "360_day")), "2001-02-30T12:00:00");
    assert.equal(writtenInstant("noleap", fromReal("noleap", Date.UTC(2001, 2, 1, 6)) as number), "2001-03-01T06:00:00");
  });

  test("a daily calendar without leap days has no gap at the end of February; a monthly one of 360 days has equal steps", () => {
    const daily = calendarOf({ every: "1d", at: "12:00Z", dates: "noleap", from: "2000-02-27" });
    const first = at("2000-02-28T12:00Z", "noleap");
    assert.equal(positionOf(daily, at("2000-03-01T12:00Z", "noleap"), first), 1);
    assert.equal(writtenInstant("noleap", timeAt(daily, 366, first)), "2001-03-01T12:00:00");
    assert.ok(!isOn(daily, at("2000-02-26T12:00Z", "noleap")));
    const monthly = calendarOf({ every: "1mo", at: "1950-01-16T00:00Z", dates: "360_day" });
    assert.equal(positionOf(monthly, at("2001-03-16", "360_day"), at("2000-12-16", "360_day")), 3);
    assert.equal(writtenInstant("360_day", timeAt(monthly, -1, at("2000-01-16", "360_day"))), "1999-12-16T00:00:00");
    assert.ok(!isOn(monthly, at("2001-03-15", "360_day")));
    const refused = readCalendar({ every: "1d", dates: "noleap", from: "2000-02-29" });
    assert.ok(!refused.ok && refused.key === "from");
  });
});
