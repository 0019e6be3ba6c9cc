import { bytesCodec, type Codec } from "../../src/codecs/index.ts";
import {
  type Attributes,
  type AttributeValue,
  ChunkManifestBuilder,
  type ChunkReference,
  chunkGrid,
  numeric,
  type VirtualArray,
  type VirtualGroup,
} from "../../src/virtual/index.ts";

export interface ArrayFacts extends Partial<Omit<VirtualArray, "manifest" | "attributes">> {
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** By cell; cells beyond the list are missing. */
  readonly chunks?: readonly (ChunkReference | undefined)[];
}

/** An array with defaults: an int16 scalar, `bytes` little-endian, without chunks. */
export function anArray(facts: ArrayFacts = {}): VirtualArray {
  const { name = "v", shape = [], chunkShape = shape.map((length) => Math.max(1, length)) } = facts;
  const manifest = new ChunkManifestBuilder(chunkGrid(shape, chunkShape));
  for (const [cell, chunk] of (facts.chunks ?? []).entries()) {
    if (chunk?.kind === "range") manifest.setRange(cell, chunk.uri, chunk.offset, chunk.length);
    if (chunk?.kind === "inline") manifest.setInline(cell, chunk.bytes);
  }
  return {
    name,
    shape,
    chunkShape,
    dimensionNames: facts.dimensionNames ?? shape.map((_, axis) => `d${axis}`),
    dataType: facts.dataType ?? numeric("int16"),
    codecs: facts.codecs ?? [bytesCodec("little")],
    fillValue: facts.fillValue ?? null,
    attributes: attributesOf(facts.attributes),
    manifest: manifest.build(),
  };
}

export function aGroup(
  arrays: readonly VirtualArray[] = [],
  facts: { name?: string; attributes?: Readonly<Record<string, AttributeValue>>; groups?: readonly VirtualGroup[] } = {},
): VirtualGroup {
  return {
    name: facts.name ?? "",
    attributes: attributesOf(facts.attributes),
    arrays: new Map(arrays.map((array) => [array.name, array])),
    groups: new Map((facts.groups ?? []).map((group) => [group.name, group])),
  };
}

export function attributesOf(attributes: Readonly<Record<string, AttributeValue>> = {}): Attributes {
  return new Map(Object.entries(attributes));
}

export const range = (uri: string, offset: number, length: number): ChunkReference => ({ kind: "range", uri, offset, length });
export const inline = (bytes: Uint8Array): ChunkReference => ({ kind: "inline", bytes });
export const text = (value: string): AttributeValue => ({ type: "text", value });
export const codec = (name: string, configuration: Codec["configuration"] = {}): Codec => ({ name, configuration });
