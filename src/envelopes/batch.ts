import type { Reading } from "./envelope.ts";
import { MAX_RECORDS } from "./limits.ts";
import { malformed } from "./outcome.ts";

/**
 * A batch of CloudEvents: a list of them. What cannot be read of a batch is passed over with its reason, unless nothing can be.
 * The form is that of the first one that is read.
 */
export function readBatch(events: readonly unknown[], readEvent: (event: object) => Reading): Reading {
  if (events.length === 0 || events.length > MAX_RECORDS)
    return malformed(`a list of ${events.length}`, `1 to ${MAX_RECORDS} CloudEvents`);
  if (!events.every(isCloudEvent)) return malformed("a list of something else", "a list of CloudEvents");
  const readings = events.map(readEvent);
  const first = readings.find((reading) => reading.kind === "read") ?? readings[0];
  if (first?.kind !== "read") return first as Reading;
  const told = readings.flatMap((reading) => (reading.kind === "read" ? reading.told : []));
  if (told.length > MAX_RECORDS) return malformed(`${told.length} records in a batch`, `at most ${MAX_RECORDS}`);
  const passedOver = readings.flatMap((reading) => (reading.kind === "read" ? reading.passedOver : [reading.reason]));
  return { kind: "read", form: first.form, told, passedOver };
}

function isCloudEvent(event: unknown): event is object {
  return typeof event === "object" && event !== null && Object.hasOwn(event, "specversion");
}
