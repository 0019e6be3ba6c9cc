/** A broker's own limit for long; what is longer is no announcement. */
export const MAX_BYTES = 256 * 1024;
/** Records of one event, entries of one batch. */
export const MAX_RECORDS = 1_000;
/** Envelopes in envelopes: an event in a notification in a queue is three. */
export const MAX_NESTING = 4;
export const MAX_URI_CHARACTERS = 4_096;
/** How much of a message a reason may quote, its quotation marks included. */
export const MAX_QUOTED_CHARACTERS = 80;
