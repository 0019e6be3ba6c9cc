import { z } from "zod";
import { placeOfUri } from "../../envelopes/index.ts";
import type { Checksum } from "../checksum.ts";

/** Links of one granule, and files that its metadata tell of, that are looked at: a folder of files is no granule. */
const MOST_LINKS = 500;

/** A file of a granule, with what CMR promises of its bytes. */
export interface CmrLink {
  readonly uri: string;
  /** Bytes. */
  readonly size?: number | undefined;
  readonly checksum?: Checksum | undefined;
}

/** A granule as CMR knows it. */
export interface CmrGranule {
  readonly conceptId: string;
  /** Its GranuleUR: often the file's name, with or without what follows the last dot. */
  readonly name: string;
  /** Names by which patterns know it: the GranuleUR and the producer's. */
  readonly names: readonly string[];
  /** When CMR took this revision of its metadata: milliseconds since 1970. */
  readonly revisionMs: number;
  /** Where its data are: links of the types GET DATA and GET DATA VIA DIRECT ACCESS, those that an announcement may name. */
  readonly links: readonly CmrLink[];
}

const checksumSchema = z.looseObject({ Value: z.string(), Algorithm: z.string() });
const fileSchema = z.looseObject({
  Name: z.string().optional(),
  SizeInBytes: z.number().optional(),
  Checksum: checksumSchema.optional(),
  Files: z.array(z.unknown()).optional(),
});
const linkSchema = z.looseObject({ URL: z.string(), Type: z.string() });
const ummSchema = z.looseObject({
  GranuleUR: z.string().min(1).max(1_000),
  RelatedUrls: z.array(z.unknown()).optional(),
  DataGranule: z
    .looseObject({
      ArchiveAndDistributionInformation: z.array(z.unknown()).optional(),
      Identifiers: z.array(z.looseObject({ Identifier: z.string(), IdentifierType: z.string() })).optional(),
    })
    .optional(),
});
const itemSchema = z.looseObject({
  meta: z.looseObject({ "concept-id": z.string().max(200), "revision-date": z.string() }),
  umm: z.unknown(),
});

const DATA = new Set(["GET DATA", "GET DATA VIA DIRECT ACCESS"]);

/** An item of a search's answer in UMM-G JSON (1.4 to 1.6.x); undefined for what is none. Pure, never throws. */
export function granuleOfItem(item: unknown): CmrGranule | undefined {
  const parsed = itemSchema.safeParse(item);
  if (!parsed.success) return undefined;
  const { meta, umm } = parsed.data;
  const revisionMs = Date.parse(meta["revision-date"]);
  return Number.isNaN(revisionMs) ? undefined : granuleOfUmm(umm, meta["concept-id"], revisionMs);
}

/** A granule by its metadata alone, as CMR gives those of one concept. */
export function granuleOfUmm(umm: unknown, conceptId: string, revisionMs: number): CmrGranule | undefined {
  const parsed = ummSchema.safeParse(umm);
  if (!parsed.success) return undefined;
  const { GranuleUR: name, RelatedUrls = [], DataGranule } = parsed.data;
  const files = filesOf(DataGranule?.ArchiveAndDistributionInformation ?? []);
  const links = new Map<string, CmrLink>();
  for (const one of RelatedUrls.slice(0, MOST_LINKS)) {
    const link = linkSchema.safeParse(one);
    if (!link.success || !DATA.has(link.data.Type)) continue;
    const place = placeOfUri(link.data.URL);
    if ("uri" in place) links.set(place.uri, { uri: place.uri, ...files.get(lastSegment(place.uri)) });
  }
  const producers = (DataGranule?.Identifiers ?? []).filter(({ IdentifierType }) => IdentifierType === "ProducerGranuleId");
  const names = [...new Set([name, ...producers.map(({ Identifier }) => Identifier)])];
  return { conceptId, name, names, revisionMs, links: [...links.values()] };
}

/** What the last segment of a uri says, decoded. */
export function lastSegment(uri: string): string {
  const segment = uri.slice(uri.lastIndexOf("/") + 1);
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Promises by file name. `Size` is rounded in practice, so that only `SizeInBytes` is one. */
function filesOf(entries: readonly unknown[]): Map<string, Omit<CmrLink, "uri">> {
  const files = new Map<string, Omit<CmrLink, "uri">>();
  const packages = [...entries.slice(0, MOST_LINKS)];
  for (let at = 0; at < Math.min(packages.length, MOST_LINKS); at++) {
    const parsed = fileSchema.safeParse(packages[at]);
    if (!parsed.success) continue;
    const { Name, SizeInBytes, Checksum: told, Files } = parsed.data;
    packages.push(...(Files ?? []).slice(0, MOST_LINKS));
    if (Name === undefined) continue;
    const checksum = told === undefined ? undefined : checksumOf(told);
    const isSize = SizeInBytes !== undefined && Number.isSafeInteger(SizeInBytes) && SizeInBytes > 0;
    files.set(Name, { ...(isSize ? { size: SizeInBytes } : {}), ...(checksum === undefined ? {} : { checksum }) });
  }
  return files;
}

const ALGORITHMS = [
  ["MD5", "md5", 32],
  ["SHA-256", "sha256", 64],
  ["SHA-512", "sha512", 128],
] as const;

/** Of UMM's algorithms those that we compute, where the value is one of theirs. */
function checksumOf({ Value, Algorithm }: z.infer<typeof checksumSchema>): Checksum | undefined {
  const known = ALGORITHMS.find(([name]) => name === Algorithm.toUpperCase());
  if (known === undefined) return undefined;
  const [, algorithm, digits] = known;
  const value = Value.trim().toLowerCase();
  return /^[0-9a-f]+$/.test(value) && value.length === digits ? { algorithm, value } : undefined;
}
