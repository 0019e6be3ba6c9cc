import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createZstdCompress } from "node:zlib";
import type { KerchunkJsonForm, KerchunkParquetForm, StacForm } from "../../dataset/index.ts";
import type { StoreChange } from "../../writers/icechunk/index.ts";
import { changesJson, type WrittenReferences } from "../../writers/kerchunk-json/index.ts";
import { type FormFiles, kerchunkParquet } from "../../writers/kerchunk-parquet/index.ts";
import { mappedUri } from "../../writers/uri-mapping.ts";

/** A form of which each version is kept whole. */
export type VersionedForm = KerchunkJsonForm | KerchunkParquetForm;

const SUFFIX = { "kerchunk-json": { none: ".json", zstd: ".json.zst" }, "kerchunk-parquet": ".parq" } as const;

function suffixOf(form: VersionedForm | StacForm): string {
  if (form.kind === "stac") return ".json";
  return form.kind === "kerchunk-json" ? SUFFIX[form.kind][form.compress] : SUFFIX[form.kind];
}

/** The name of a form's version. @param content what else decides what is in it: equal names are of equal content. */
export function nameOfVersion(form: VersionedForm | StacForm, sequence: number, content: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify(content)).digest("hex");
  return `v${sequence}-${hash.slice(0, 8)}${suffixOf(form)}`;
}

/** The sequence of a version by its name; undefined for what is none. */
export function sequenceOf(name: string): number | undefined {
  const [, digits] = /^v([1-9][0-9]{0,14})-[0-9a-f]{8}\.(json|json\.zst|parq)$/.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** The name that the newest version has too; undefined for a form whose versions are folders. */
export function latestName(form: VersionedForm): string | undefined {
  return form.kind === "kerchunk-json" ? `latest${suffixOf(form)}` : undefined;
}

/** Writes a version to a place where nobody looks; on disk when it resolves. @param previous the version that the changes begin with. */
export async function writeVersion(
  form: VersionedForm,
  place: string,
  changes: AsyncIterable<StoreChange>,
  previous: FormFiles | undefined,
  signal: AbortSignal,
): Promise<WrittenReferences> {
  const uri = mappedUri(form.map);
  try {
    if (form.kind === "kerchunk-parquet")
      return await kerchunkParquet(changes, { folder: place, records: form.records, previous, uri });
    const written: WrittenReferences = { references: 0, inlined: 0, refused: new Map() };
    const document = Readable.from(changesJson(changes, written, { uri }));
    const file = createWriteStream(place, { flags: "wx", flush: true });
    if (form.compress === "zstd") await pipeline(document, createZstdCompress(), file, { signal });
    else await pipeline(document, file, { signal });
    return written;
  } catch (error) {
    await rm(place, { recursive: true, force: true });
    throw error;
  }
}
