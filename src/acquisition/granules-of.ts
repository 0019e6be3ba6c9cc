import { readFile } from "node:fs/promises";
import type { BackfillSearch } from "../contract/index.ts";
import { type Dataset, INSTANT_FORM, parseInstant, urisBetween } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";

const DAY_MS = 86_400_000;

/** Which granules of a dataset are meant, as options say it. */
export interface GranuleOptions {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** `names`, `cmr`, `listing`, or a file with a uri, or a name behind the source's prefix, on each line. */
  readonly source: string;
}

/**
 * The granules that are meant: their uris, or the search that tells of them.
 * @throws FreshetError `usage` for options that do not fit, a source without CMR, a file that cannot be read, names that cannot be made up.
 */
export async function meantGranules(dataset: Dataset, options: GranuleOptions): Promise<readonly string[] | BackfillSearch> {
  return searchOf(dataset, options) ?? granulesOf(dataset, options);
}

async function granulesOf(dataset: Dataset, options: GranuleOptions): Promise<string[]> {
  const uris = options.source === "names" ? [...urisBetween(dataset, ...spanOf(options))] : await urisOfFile(dataset, options);
  if (uris.length === 0) throw new FreshetError("usage", "no granules are meant", { found: "no uris", path: dataset.name });
  return uris;
}

/** The search that the options ask for; undefined where they name granules. */
function searchOf({ name, source }: Dataset, options: GranuleOptions): BackfillSearch | undefined {
  const by = options.source;
  if (by !== "cmr" && by !== "listing") return undefined;
  if (by === "cmr" && source.cmr === undefined) {
    throw new FreshetError("usage", "the dataset's source has no CMR", { found: `--source cmr`, path: name });
  }
  return {
    by,
    ...(options.from === undefined ? {} : { fromMs: startOf("--from", options.from) }),
    ...(options.to === undefined ? {} : { toMs: endOf("--to", options.to) }),
  };
}

function spanOf({ from, to }: GranuleOptions): readonly [fromMs: number, toMs: number] {
  return [startOf("--from", from), endOf("--to", to)];
}

/** The instant of an option, milliseconds since 1970; of a date its beginning. @throws FreshetError `usage` for what is no instant, or nothing. */
export function startOf(option: string, text: string | undefined): number {
  return instantOf(option, text).ms;
}

/** The same; a date stands for its whole day. @throws FreshetError `usage`. */
export function endOf(option: string, text: string | undefined): number {
  const { ms, isDate } = instantOf(option, text);
  return isDate ? ms + DAY_MS - 1 : ms;
}

function instantOf(option: string, text: string | undefined) {
  const instant = text === undefined ? undefined : parseInstant(text);
  if (instant !== undefined) return instant;
  throw new FreshetError("usage", `${option} takes an instant`, { found: text ?? "nothing", expected: INSTANT_FORM });
}

async function urisOfFile(dataset: Dataset, { source, from, to }: GranuleOptions): Promise<string[]> {
  if (from !== undefined || to !== undefined)
    throw new FreshetError("usage", "--from and --to choose among names that are made up", { found: `with --source ${source}` });
  const text = await readFile(source, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new FreshetError("usage", "the file with uris cannot be read", { found: cause.message, path: source, cause });
  });
  const lines = text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
  return lines.map((line) => (line.includes("://") ? line : new URL(line, dataset.source.at).href));
}
