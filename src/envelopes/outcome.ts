import type { z } from "zod";
import type { EnvelopeForm, Message, Reading, Told } from "./envelope.ts";
import type { Place } from "./place.ts";

/** A message whose body is a JSON object. A notification by attributes may have no body: then it has no fields. */
export interface OpenMessage {
  readonly value: Readonly<Record<string, unknown>>;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Reads what was inside an envelope, as text, bytes or JSON that was parsed with it; it counts how deep one is. */
export type ReadInner = (body: Message["body"] | object, attributes: Readonly<Record<string, string>>) => Reading;

/** One form: undefined when the message is not of it. */
export type FormReader = (message: OpenMessage, readInner: ReadInner) => Reading | undefined;

/** One entry of a message: an announcement, or why it is none. `faulty` where it breaks the form's own rules. */
export type Entry = { readonly told: Told } | { readonly passedOver: string; readonly faulty?: true };

/** A message with its entries. One that has nothing but faulty entries is malformed. */
export function readingOf(form: EnvelopeForm, entries: readonly Entry[]): Reading {
  const [first] = entries;
  if (first !== undefined && entries.every((entry) => "faulty" in entry)) {
    return malformed((first as Extract<Entry, { passedOver: string }>).passedOver, `the form ${form}`);
  }
  return {
    kind: "read",
    form,
    told: entries.flatMap((entry) => ("told" in entry ? [entry.told] : [])),
    passedOver: entries.flatMap((entry) => ("told" in entry ? [] : [entry.passedOver])),
  };
}

/** @param found what the message has, @param expected what would be right: together one sentence. */
export function malformed(found: string, expected: string): Reading {
  return { kind: "malformed", reason: `${found}; expected ${expected}` };
}

/** The entry of a place, with what the message promises of its bytes; of what is gone nothing is promised. */
export function entryOf(place: Place, facts: Omit<Told, "uri"> = {}): Entry {
  if ("refused" in place) return { passedOver: place.refused };
  const { size, checksum, removed } = facts;
  if (removed) return { told: { uri: place.uri, removed } };
  return { told: { uri: place.uri, ...(size !== undefined && { size }), ...(checksum !== undefined && { checksum }) } };
}

/** The first thing that a schema found wrong, as half a sentence. */
export function issueOf(error: z.ZodError): string {
  const [issue] = error.issues;
  const path = (issue?.path ?? []).map(String).join(".").slice(0, 40);
  return `${path === "" ? "the message" : path}: ${(issue?.message ?? "it is not right").slice(0, 80)}`;
}
