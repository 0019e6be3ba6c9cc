import { isFreshetError } from "../../errors/index.ts";
import type { ChunkManifest, VariableOutcome, VirtualArray, VirtualGroup } from "../../virtual/index.ts";
import { attributesToJson } from "../json-numbers.ts";
import { plainUri } from "../uri-mapping.ts";
import { canBeKey, DimensionNamer, zarr2Array } from "../zarr2/index.ts";

export interface KerchunkJson {
  /** The document in pieces, in order: it may be longer than a string can be. */
  readonly pieces: Iterable<string>;
  /** The arrays that Zarr v2 references cannot hold, and why. They are not in the document. */
  readonly refused: readonly VariableOutcome[];
}

export interface KerchunkJsonOptions {
  /** The uri of a chunk as the document names it. Default: as it is, `file:` without percent-encoding (see `plainUri`). */
  readonly uri?: (uri: string) => string;
}

/**
 * A virtual group as kerchunk references: version 1, Zarr v2 metadata as JSON strings, `[uri, offset, length]` for ranges,
 * `base64:` for inlined chunks, nothing for missing ones; no templates, no generators.
 */
export function kerchunkJson(root: VirtualGroup, options: KerchunkJsonOptions = {}): KerchunkJson {
  const metadata = new Map<VirtualArray, Record<string, unknown>>();
  const refused: VariableOutcome[] = [];
  prepare(root, "", metadata, refused);
  return { pieces: document(root, metadata, options.uri ?? plainUri), refused };
}

function prepare(
  group: VirtualGroup,
  prefix: string,
  metadata: Map<VirtualArray, Record<string, unknown>>,
  refused: VariableOutcome[],
): void {
  for (const [name, array] of group.arrays) {
    const path = `${prefix}/${name}`;
    const refuse = (reason: string): number => refused.push({ path, outcome: "refused", reason });
    if (!canBeKey(path)) {
      refuse("its path cannot be a key of a Zarr v2 store");
      continue;
    }
    try {
      metadata.set(array, zarr2Array(array, array.manifest.counts().missing > 0));
    } catch (error) {
      if (!isFreshetError(error, "unsupported")) throw error;
      refuse(error.message);
    }
  }
  for (const [name, child] of group.groups) prepare(child, `${prefix}/${name}`, metadata, refused);
}

function* document(
  root: VirtualGroup,
  metadata: ReadonlyMap<VirtualArray, Record<string, unknown>>,
  uriOf: (uri: string) => string,
): Generator<string> {
  let separator = '{"version":1,"refs":{\n';
  for (const entry of groupEntries(root, "", metadata, uriOf)) {
    yield separator + entry;
    separator = ",\n";
  }
  yield "\n}}\n";
}

function* groupEntries(
  group: VirtualGroup,
  prefix: string,
  metadata: ReadonlyMap<VirtualArray, Record<string, unknown>>,
  uriOf: (uri: string) => string,
): Generator<string> {
  yield metadataEntry(`${prefix}.zgroup`, { zarr_format: 2 });
  yield metadataEntry(`${prefix}.zattrs`, attributesToJson(group.attributes, { fillValueEncoding: "plain" }));
  const namer = new DimensionNamer(group.arrays.values());
  for (const [name, array] of group.arrays) {
    const zarray = metadata.get(array);
    if (zarray === undefined) continue;
    const path = `${prefix}${name}/`;
    yield metadataEntry(`${path}.zarray`, zarray);
    yield metadataEntry(`${path}.zattrs`, {
      ...attributesToJson(array.attributes, { fillValueEncoding: "plain" }),
      _ARRAY_DIMENSIONS: namer.namesOf(array.shape, array.dimensionNames),
    });
    yield* chunkEntries(path, array.manifest, uriOf);
  }
  for (const [name, child] of group.groups) {
    if (canBeKey(name)) yield* groupEntries(child, `${prefix}${name}/`, metadata, uriOf);
  }
}

function metadataEntry(key: string, value: Record<string, unknown>): string {
  return `${JSON.stringify(key)}:${JSON.stringify(JSON.stringify(value))}`;
}

function* chunkEntries(path: string, manifest: ChunkManifest, uriOf: (uri: string) => string): Generator<string> {
  const uris = new Map(manifest.uris.map((uri) => [uri, JSON.stringify(uriOf(uri))]));
  const start = JSON.stringify(path).slice(0, -1);
  const index = manifest.grid.map(() => 0);
  for (let cell = 0; cell < manifest.cells; cell++) {
    const reference = manifest.at(cell);
    const key = `${start}${index.join(".") || "0"}"`;
    if (reference.kind === "range") yield `${key}:[${uris.get(reference.uri)},${reference.offset},${reference.length}]`;
    else if (reference.kind === "inline") yield `${key}:"base64:${Buffer.from(reference.bytes).toString("base64")}"`;
    for (let axis = index.length - 1; axis >= 0; axis--) {
      const next = (index[axis] as number) + 1;
      if (next < (manifest.grid[axis] as number)) {
        index[axis] = next;
        break;
      }
      index[axis] = 0;
    }
  }
}
