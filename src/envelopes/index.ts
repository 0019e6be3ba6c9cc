export type { EnvelopeForm, Message, Reading, Told } from "./envelope.ts";
export type { FlatRule } from "./flat.ts";
export { placeOfUri } from "./place.ts";
export { type EnvelopeOptions, readEnvelope } from "./read-envelope.ts";
