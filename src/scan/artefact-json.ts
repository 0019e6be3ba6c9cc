import type { SourceIdentity } from "../storage/index.ts";
import type { Attributes, AttributeValue, FillValue, VirtualArray, VirtualGroup } from "../virtual/index.ts";
import type { JsonManifest, ManifestColumns, manifestReader } from "./artefact-columns.ts";

/** A number in JSON: NaN, the infinities and -0, which JSON does not have or JavaScript does not write, are strings. */
type JsonNumber = number | "NaN" | "Infinity" | "-Infinity" | "-0";

/** A fill value with its kind: number, bigint, text, bytes (base64), complex pair; null and booleans stand for themselves. */
type JsonFill =
  | null
  | boolean
  | { readonly n: JsonNumber }
  | { readonly i: string }
  | { readonly s: string }
  | { readonly b: string }
  | { readonly c: readonly [JsonNumber, JsonNumber] };

type JsonAttribute =
  | readonly [name: string, type: "text", value: string]
  | readonly [name: string, type: "texts", value: readonly string[]]
  | readonly [name: string, type: string, value: readonly JsonNumber[] | readonly string[], scalar: boolean];

type JsonArray = Omit<VirtualArray, "fillValue" | "attributes" | "manifest"> & {
  readonly fillValue: JsonFill;
  readonly attributes: readonly JsonAttribute[];
  readonly manifest: JsonManifest;
};

export interface JsonGroup {
  readonly name: string;
  readonly attributes: readonly JsonAttribute[];
  readonly arrays: readonly (readonly [key: string, array: JsonArray])[];
  readonly groups: readonly (readonly [key: string, group: JsonGroup])[];
}

/** The tree without its chunks; their manifests go into `columns` on the way. */
export function groupToJson(group: VirtualGroup, columns: ManifestColumns): JsonGroup {
  return {
    name: group.name,
    attributes: attributesToJson(group.attributes),
    arrays: [...group.arrays].map(([key, array]) => [
      key,
      {
        ...array,
        fillValue: fillToJson(array.fillValue),
        attributes: attributesToJson(array.attributes),
        manifest: columns.add(array.manifest),
      },
    ]),
    groups: [...group.groups].map(([key, child]) => [key, groupToJson(child, columns)]),
  };
}

export function groupFromJson(json: JsonGroup, manifests: ReturnType<typeof manifestReader>): VirtualGroup {
  const arrays = json.arrays.map(([key, array]): [string, VirtualArray] => [
    key,
    {
      ...array,
      fillValue: fillFromJson(array.fillValue),
      attributes: attributesFromJson(array.attributes),
      manifest: manifests(array.manifest),
    },
  ]);
  return {
    name: json.name,
    attributes: attributesFromJson(json.attributes),
    arrays: new Map(arrays),
    groups: new Map(json.groups.map(([key, child]) => [key, groupFromJson(child, manifests)])),
  };
}

/** The identity with its members in one order, without those that are undefined. */
export function orderedIdentity({ etag, lastModifiedMs, size }: SourceIdentity): SourceIdentity {
  return { ...(etag === undefined ? {} : { etag }), ...(lastModifiedMs === undefined ? {} : { lastModifiedMs }), size };
}

function attributesToJson(attributes: Attributes): JsonAttribute[] {
  return [...attributes].map(([name, attribute]): JsonAttribute => {
    if (attribute.type === "text") return [name, "text", attribute.value];
    if (attribute.type === "texts") return [name, "texts", attribute.value];
    const values: readonly (number | bigint)[] = attribute.value;
    const isBig = typeof values[0] === "bigint";
    const json = isBig ? values.map(String) : values.map((value) => numberToJson(value as number));
    return [name, isBig ? `${attribute.type} big` : attribute.type, json as readonly string[], attribute.scalar];
  });
}

function attributesFromJson(json: readonly JsonAttribute[]): Attributes {
  return new Map(
    json.map(([name, type, value, scalar]): [string, AttributeValue] => {
      if (type === "text" || type === "texts") return [name, { type, value } as AttributeValue];
      const values = value as readonly JsonNumber[];
      const decoded = type.endsWith(" big") ? values.map(BigInt) : values.map(Number);
      return [name, { type: type.replace(/ big$/, ""), scalar, value: decoded } as AttributeValue];
    }),
  );
}

function fillToJson(fill: FillValue): JsonFill {
  if (fill === null || typeof fill === "boolean") return fill;
  if (typeof fill === "number") return { n: numberToJson(fill) };
  if (typeof fill === "bigint") return { i: fill.toString() };
  if (typeof fill === "string") return { s: fill };
  if (fill instanceof Uint8Array) return { b: Buffer.from(fill).toString("base64") };
  return { c: [numberToJson(fill[0]), numberToJson(fill[1])] };
}

function fillFromJson(json: JsonFill): FillValue {
  if (json === null || typeof json === "boolean") return json;
  if ("n" in json) return Number(json.n);
  if ("i" in json) return BigInt(json.i);
  if ("s" in json) return json.s;
  if ("b" in json) return Uint8Array.from(Buffer.from(json.b, "base64"));
  return [Number(json.c[0]), Number(json.c[1])];
}

function numberToJson(value: number): JsonNumber {
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? value : (String(value) as JsonNumber);
}
