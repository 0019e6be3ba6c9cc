import type { NameToken } from "./name-token.ts";

/** What each token of a grammar stands for in a name; the same length and order as the tokens. */
export type Captures = readonly string[];

/** Digits of `{x:int}`: all values stay exact. */
const MAX_INTEGER_DIGITS = 15;

/**
 * The text that each token stands for, or undefined if the tokens do not make up the whole name. Where there is a choice, the
 * earlier token takes as little as possible.
 *
 * Time and memory are tokens × characters whatever the name: a table of what can still match is filled from the end, then
 * read from the beginning; nothing is tried twice.
 */
export function matchTokens(tokens: readonly NameToken[], name: string): Captures | undefined {
  const width = name.length + 1;
  // canMatch[token × width + at]: the tokens from this one on can make up the name from `at` on.
  const canMatch = new Uint8Array((tokens.length + 1) * width);
  const fits = (index: number) => (end: number) => end < width && canMatch[(index + 1) * width + end] === 1;
  canMatch[tokens.length * width + name.length] = 1;
  for (let index = tokens.length - 1; index >= 0; index--) {
    const token = tokens[index] as NameToken;
    for (let at = name.length; at >= 0; at--) {
      const goesOn = token.kind === "free" && name[at] !== "/" && canMatch[index * width + at + 1] === 1 && at < name.length;
      if (goesOn || nearestEnd(token, name, at, fits(index)) !== undefined) canMatch[index * width + at] = 1;
    }
  }
  const captures: string[] = [];
  let at = 0;
  for (const [index, token] of tokens.entries()) {
    if (canMatch[index * width + at] !== 1) return undefined;
    let end = nearestEnd(token, name, at, fits(index));
    // Only a free token goes on where it could not end at once, and the table says that there is an end.
    if (end === undefined) for (end = at + 2; !fits(index)(end); ) end++;
    captures.push(name.slice(at, end));
    at = end;
  }
  return at === name.length ? captures : undefined;
}

/** Where the token ends if it begins at `at`, at the nearest place from which the rest fits. A free token: after one character, or undefined. */
function nearestEnd(token: NameToken, name: string, at: number, fits: (end: number) => boolean): number | undefined {
  switch (token.kind) {
    case "literal":
      return name.startsWith(token.text, at) && fits(at + token.text.length) ? at + token.text.length : undefined;
    case "instant-part":
    case "digits":
      return digitsFrom(name, at, token.digits) === token.digits && fits(at + token.digits) ? at + token.digits : undefined;
    case "integer": {
      const most = digitsFrom(name, at, MAX_INTEGER_DIGITS);
      for (let digits = 1; digits <= most; digits++) if (fits(at + digits)) return at + digits;
      return undefined;
    }
    case "choice": {
      const option = token.options.find((text) => name.startsWith(text, at) && fits(at + text.length));
      return option === undefined ? undefined : at + option.length;
    }
    case "free":
      return at < name.length && name[at] !== "/" && fits(at + 1) ? at + 1 : undefined;
  }
}

/** How many digits stand at `at`, at most `most`. */
function digitsFrom(name: string, at: number, most: number): number {
  let count = 0;
  while (count < most && isDigit(name.charCodeAt(at + count))) count++;
  return count;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
