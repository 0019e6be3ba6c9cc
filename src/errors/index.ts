export { type ErrorFacts, type ErrorKind, FreshetError, isFreshetError } from "./freshet-error.ts";
