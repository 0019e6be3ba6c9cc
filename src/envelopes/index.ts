export type { EnvelopeForm, Message, Reading, Told } from "./envelope.ts";
export { type EnvelopeOptions, readEnvelope } from "./read-envelope.ts";
