import { fileURLToPath } from "node:url";
import { accessOf, collectionId, listedPlaces, tryBucket } from "../../acquisition/index.ts";
import { compileNames, type Dataset, fieldsAt, type Source } from "../../dataset/index.ts";
import { FreshetError, isFreshetError } from "../../errors/index.ts";
import { parseSecretReference, secrets } from "../../secrets/index.ts";
import { type ListedFile, listPage } from "../../storage/index.ts";
import { amqpChecks } from "./amqp-check.ts";
import type { Check, Found } from "./finding.ts";
import { writableFolder } from "./free-space.ts";
import { sqsChecks } from "./sqs-check.ts";

const PATIENCE_MS = 20_000;
/** Folders of a listing that are looked at: those of today come first. */
const MOST_FOLDERS = 3;
const AT_REMEDY = "Correct `at` (and `s3`) of the source in the dataset file, or see that it can be reached from here";

/** Everything that the sources and stores of datasets need, source by source. `share`: as the starters name queues. */
export function datasetChecks(
  datasets: readonly Dataset[],
  share: string,
  { queues, signal = new AbortController().signal }: { readonly queues: boolean; readonly signal?: AbortSignal },
): Check[] {
  const sources = new Map(datasets.map(({ source }) => [JSON.stringify(source), source]));
  const ofSources = [...sources.values()].flatMap((source) => {
    const its = datasets.filter((dataset) => JSON.stringify(dataset.source) === JSON.stringify(source));
    return [
      ...secretChecks(source),
      placeCheck(source, its, signal),
      ...cmrChecks(source, its, signal),
      ...mirrorChecks(source, signal),
      ...(queues ? [...sqsChecks(source), ...amqpChecks(source, share)] : []),
    ];
  });
  const stores = datasets.flatMap(({ name, products }) =>
    products.map((product) => folderCheck(`store of ${name}/${product.name}`, product.store)),
  );
  return [...ofSources, ...stores];
}

function mirrorChecks(source: Source, stopped: AbortSignal): Check[] {
  const { name, mirror } = source;
  if (mirror === undefined) return [];
  const part = `mirror of ${name}`;
  if (!mirror.startsWith("s3:")) return [folderCheck(part, mirror)];
  const look = async (): Promise<string> => {
    await tryBucket({ ...source, mirror }, AbortSignal.any([stopped, AbortSignal.timeout(PATIENCE_MS)]));
    return `${mirror} takes an object, gives it back and removes it`;
  };
  return [{ part, remedy: "Correct `mirror` of the source, or what the credentials of this process may do there", look }];
}

function folderCheck(part: string, uri: string): Check {
  return { part, remedy: "Name another folder in the dataset file", look: () => writableFolder(fileURLToPath(uri)) };
}

/** Each secret that a source names. */
function secretChecks(source: Source): Check[] {
  const texts = new Set<string>();
  const gather = (value: unknown): void => {
    if (typeof value === "string" && parseSecretReference(value) !== undefined) texts.add(value);
    else if (value !== null && typeof value === "object") Object.values(value).forEach(gather);
  };
  gather(source);
  return [...texts].map((text) => ({
    part: `secret of ${source.name}`,
    remedy: "Set it, or correct its name in the dataset file",
    look: async () => {
      await secrets.textOf(text);
      return `${text} is there`;
    },
  }));
}

/** Whether CMR knows the collections that the datasets of a source ask it for. */
function cmrChecks({ name, cmr }: Source, datasets: readonly Dataset[], stopped: AbortSignal): Check[] {
  if (cmr === undefined) return [];
  return datasets.flatMap(({ collection }) => {
    if (collection === undefined) return [];
    const look = async (): Promise<string> => {
      const signal = AbortSignal.any([stopped, AbortSignal.timeout(PATIENCE_MS)]);
      return `${collection.id} is ${await collectionId(cmr, collection, signal)} at ${cmr.endpoint}`;
    };
    return [{ part: `collection of ${name}`, remedy: "See that `cmr.endpoint` of the source can be reached from here", look }];
  });
}

/** Whether a source's place answers, and whether what is there has names that its datasets know. */
function placeCheck(source: Source, datasets: readonly Dataset[], stopped: AbortSignal): Check {
  return {
    part: `source ${source.name}`,
    remedy: AT_REMEDY,
    look: async () => {
      const isListed = source.listing !== undefined;
      const folders = isListed ? listedPlaces(source, Date.now()).slice(0, MOST_FOLDERS) : [source.at];
      const files: ListedFile[] = [];
      let refusal: FreshetError | undefined;
      for (const folder of folders) {
        try {
          const signal = AbortSignal.any([stopped, AbortSignal.timeout(PATIENCE_MS)]);
          files.push(...(await listPage(folder, undefined, await accessOf(source, folder, signal))).files);
        } catch (error) {
          if (!isMild(error, isListed, source.at)) throw error;
          refusal = error;
        }
      }
      return judged(source, datasets, files, refusal);
    },
  };
}

/**
 * Whether an answer still means that the place is there: a folder that nobody may list, has no index or does not stand yet. A bucket that
 * is not there, or elsewhere, is none of these.
 */
function isMild(error: unknown, isListed: boolean, at: string): error is FreshetError {
  if (isFreshetError(error, "source-missing")) return isListed || !at.startsWith("file:");
  const isWrong =
    isFreshetError(error) &&
    /no such bucket|another region|no credentials|have expired|SignatureDoesNotMatch|InvalidAccessKeyId/.test(error.message);
  return !isListed && !isWrong && isFreshetError(error, "source-refused", "unsupported");
}

function judged(
  source: Source,
  datasets: readonly Dataset[],
  files: readonly ListedFile[],
  refusal: FreshetError | undefined,
): Found {
  // Where messages say what a granule is, names say nothing.
  const named = datasets.filter(({ match }) => match.length > 0);
  if (files.length === 0 || named.length === 0) {
    if (refusal === undefined) return `${source.at} answers`;
    return { found: `${source.at} answers`, note: `It cannot be listed, so names were not tried: ${refusal.summary}` };
  }
  const readers = named.map((dataset) => compileNames(dataset.match));
  const known = files.filter(({ uri }) => readers.some((names) => fieldsAt(source, names, uri) !== undefined)).length;
  const found = `${source.at} answers; ${known} of the first ${files.length} names are known`;
  if (known > 0) return found;
  const example = files[0]?.uri.slice(0, 200);
  // What a listing looks at is what is wanted; elsewhere other files may come first.
  if (source.listing === undefined) return { found, note: `Try one: freshet dataset try FILE ${example}` };
  throw new FreshetError("dataset-file", "no name that the listing finds is known to any dataset", {
    found: `${files.length} names, such as ${example}`,
    path: `match of ${named.map(({ name }) => name).join(", ")}`,
    remedy: `Correct match: freshet dataset try FILE ${example}`,
  });
}
