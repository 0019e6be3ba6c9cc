export type { EnvelopeForm, Message, Reading, Told } from "./envelope.ts";
export { placeOfUri } from "./place.ts";
export { type EnvelopeOptions, readEnvelope } from "./read-envelope.ts";
