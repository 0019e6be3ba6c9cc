import type { NumericType } from "../virtual/index.ts";
import { decodeTime, encodeTime, type TimeEncoding } from "./cf-time.ts";

/** How a time coordinate says its instants. */
export interface TimeAxis {
  readonly axisType: NumericType;
  readonly axisEncoding: TimeEncoding;
}

/** From a day down to a second, milliseconds. */
const ROUND_MS = [86_400_000, 3_600_000, 1_800_000, 600_000, 300_000, 60_000, 10_000, 1_000];

/**
 * The instant of a coordinate value, milliseconds since 1970. Of `days since 2013-01-01`, float32 holds 2024-05-23T01:00 as 00:59:45.9:
 * a value of float32 stands for the roundest instant that the type rounds to this very value.
 */
export function decodeAxis({ axisType, axisEncoding }: TimeAxis, value: number | bigint): number {
  const ms = decodeTime(axisEncoding, value);
  if (axisType !== "float32") return ms;
  const round = ROUND_MS.map((step) => Math.round(ms / step) * step);
  return round.find((instant) => Math.fround(encodeTime(axisEncoding, instant)) === value) ?? ms;
}

/** The coordinate value of an instant, as the type holds it; a fraction where the unit does not divide it. */
export function encodeAxis({ axisType, axisEncoding }: TimeAxis, ms: number): number {
  const value = encodeTime(axisEncoding, ms);
  return axisType === "float32" ? Math.fround(value) : value;
}
