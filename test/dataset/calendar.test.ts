import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Calendar, isOn, positionOf, stepAtOrAfter, stepAtOrBefore, timeAt } from "../../src/dataset/calendar.ts";
import { type CalendarSpec, readCalendar } from "../../src/dataset/calendar-spec.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

function calendar(spec: CalendarSpec): Calendar {
  const reading = readCalendar(spec);
  assert.ok(reading.ok, JSON.stringify(reading));
  return reading.calendar;
}

const at = (text: string) => Date.parse(text);

describe("a calendar", () => {
  test("of one step a day has the days at that time, and nothing else", () => {
    const daily = calendar({ every: "1d", at: "12:00Z" });
    const origin = at("2017-06-05T12:00Z");
    assert.equal(positionOf(daily, at("2017-06-07T12:00Z"), origin), 2);
    assert.equal(positionOf(daily, at("2017-06-01T12:00Z"), origin), -4);
    assert.equal(positionOf(daily, at("1969-12-31T12:00Z"), at("1970-01-01T12:00Z")), -1);
    assert.equal(positionOf(daily, at("2017-06-07T12:00:01Z"), origin), undefined);
    assert.equal(positionOf(daily, at("2017-06-07T00:00Z"), origin), undefined);
    assert.equal(timeAt(daily, 30, origin), at("2017-07-05T12:00Z"));
    assert.equal(timeAt(daily, -5, origin), at("2017-05-31T12:00Z"));
    assert.throws(() => positionOf(daily, origin, origin + 1), /the origin 2017-06-05T12:00:00.001Z is not on the calendar/);
  });

  test("of six hours takes the time of day as its phase", () => {
    const sixHourly = calendar({ every: "6h", at: "21:00Z" });
    const hours = Array.from({ length: 24 }, (_, hour) => hour).filter((hour) => isOn(sixHourly, Date.UTC(2020, 1, 29, hour)));
    assert.deepEqual(hours, [3, 9, 15, 21]);
  });

  test("of months keeps the day and time", () => {
    const monthly = calendar({ every: "1mo", at: "2017-01-16T12:00Z" });
    const origin = at("2016-12-16T12:00Z");
    assert.equal(positionOf(monthly, at("2018-02-16T12:00Z"), origin), 14);
    assert.equal(positionOf(monthly, at("1969-12-16T12:00Z"), origin), -564);
    assert.equal(positionOf(monthly, at("2018-02-15T12:00Z"), origin), undefined);
    assert.equal(timeAt(monthly, -13, origin), at("2015-11-16T12:00Z"));
    assert.ok(isOn(calendar({ every: "3mo" }), at("2020-07-01T00:00Z")));
    assert.ok(!isOn(calendar({ every: "3mo" }), at("2020-08-01T00:00Z")));
    assert.ok(isOn(calendar({ every: "1y", at: "2017-06-01T00:00Z" }), at("1961-06-01T00:00Z")));
  });

  test("ends at its bounds, which are moved to its own steps", () => {
    const bounded = calendar({ every: "1d", at: "12:00Z", from: "2017-06-05", to: "2017-06-07" });
    assert.equal(bounded.fromMs, at("2017-06-05T12:00Z"));
    assert.equal(bounded.toMs, at("2017-06-07T12:00Z"));
    const days = ["04", "05", "07", "08"].map((day) => isOn(bounded, at(`2017-06-${day}T12:00Z`)));
    assert.deepEqual(days, [false, true, true, false]);
    assert.equal(calendar({ every: "1d", at: "12:00Z", from: "2017-06-05T12:01Z" }).fromMs, at("2017-06-06T12:00Z"));
    assert.equal(calendar({ every: "1d", at: "12:00Z", to: "2017-06-05T11:59:59Z" }).toMs, at("2017-06-04T12:00Z"));
    assert.equal(calendar({ every: "1mo", from: "2017-06-05", to: "2017-08-31" }).fromMs, at("2017-07-01T00:00Z"));
    assert.equal(calendar({ every: "1mo", from: "2017-06-05", to: "2017-08-31" }).toMs, at("2017-08-01T00:00Z"));
  });

  test("is the same data however it was written", () => {
    assert.deepEqual(calendar({ every: "24h", at: "12:00Z" }), calendar({ every: "1d", at: "2017-06-05T12:00Z" }));
    assert.deepEqual(calendar({ every: "6h", at: "03:00Z" }), calendar({ every: "6h", at: "21:00:00Z" }));
    assert.deepEqual(calendar({ every: "12mo" }), calendar({ every: "1y", at: "2020-01-01T00:00Z" }));
    assert.deepEqual(calendar({ every: "5d", at: "2017-01-01T00:00Z" }), calendar({ every: "5d", at: "2017-01-06T00:00Z" }));
    assert.deepEqual(calendar({ every: "5d", at: "1969-12-31T00:00Z" }), calendar({ every: "5d", at: "1970-01-05T00:00Z" }));
  });

  const wrong: readonly [spec: CalendarSpec, key: keyof CalendarSpec, allowed: RegExp][] = [
    [{ every: "0d" }, "every", /15m, 6h, 1d, 1mo, 1y/],
    [{ every: "day" }, "every", /15m/],
    [{ every: "0mo" }, "every", /15m/],
    [{ every: "1d", at: "12:00" }, "at", /UTC time of day such as 09:00Z/],
    [{ every: "1d", at: "24:00Z" }, "at", /UTC time of day/],
    [{ every: "5d" }, "at", /^one instant of the calendar/],
    [{ every: "7h", at: "01:00Z" }, "at", /^one instant of the calendar/],
    [{ every: "5mo", at: "01:00Z" }, "at", /^one instant of the calendar.*28th/],
    [{ every: "1mo", at: "2017-01-31T00:00Z" }, "at", /at most on the 28th/],
    [{ every: "1d", at: "2017-06-05" }, "at", /one instant/],
    [{ every: "1d", from: "2017-02-29" }, "from", /2017-06-05/],
    [{ every: "1d", to: "5 June" }, "to", /2017-06-05/],
    [{ every: "1d", from: "2017-06-05", to: "2017-06-04" }, "to", /after 2017-06-05/],
  ];
  for (const [spec, key, allowed] of wrong) {
    test(`is not ${JSON.stringify(spec)}`, () => {
      const reading = readCalendar(spec);
      assert.ok(!reading.ok);
      assert.equal(reading.key, key);
      assert.match(reading.allowed, allowed);
    });
  }
});

describe("positions and times", () => {
  const every = fc.constantFrom("15m", "1h", "6h", "1d", "5d", "7h", "1mo", "3mo", "5mo", "1y");
  const minute = fc
    .integer({ min: Date.UTC(1850, 0, 1) / MINUTE_MS, max: Date.UTC(2300, 0, 1) / MINUTE_MS })
    .map((minutes) => minutes * MINUTE_MS);
  const anchor = minute.map((ms) => new Date(ms).toISOString()).filter((text) => Number(text.slice(8, 10)) <= 28);

  test("are each other's inverse, in one order, without gaps", () => {
    fc.assert(
      fc.property(
        every,
        anchor,
        fc.integer({ min: -3_000, max: 3_000 }),
        fc.integer({ min: -3_000, max: 3_000 }),
        (step, text, position, offset) => {
          const one = calendar({ every: step, at: text.replace(".000", "") });
          const origin = timeAt(one, offset, one.anchorMs);
          const time = timeAt(one, position, origin);
          assert.equal(positionOf(one, time, origin), position);
          assert.ok(isOn(one, time));
          const next = timeAt(one, position + 1, origin);
          assert.ok(next > time);
          assert.equal(positionOf(one, time + 1, origin), undefined);
          assert.equal(stepAtOrBefore(one, next - 1), time);
          assert.equal(stepAtOrAfter(one, time + 1), next);
          assert.deepEqual([stepAtOrBefore(one, time), stepAtOrAfter(one, time)], [time, time]);
        },
      ),
      { seed: 4, numRuns: 500 },
    );
  });

  test("of days agree with counting", () => {
    const daily = calendar({ every: "1d", at: "09:00Z" });
    const origin = at("2000-02-27T09:00Z");
    for (let day = -400; day <= 400; day++) assert.equal(positionOf(daily, origin + day * DAY_MS, origin), day);
  });
});
