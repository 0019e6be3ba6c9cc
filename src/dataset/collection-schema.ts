import { z } from "zod";
import { FreshetError } from "../errors/index.ts";
import type { CollectionProduct, GranuleCoordinate } from "./collection.ts";
import { completeForms, formsSchema } from "./form-schema.ts";
import { list, mapping, wholeNumber, written } from "./mapping.ts";
import type { FieldKind } from "./name-token.ts";
import { folder } from "./source-schema.ts";
import { parseFolder } from "./source-uri.ts";

/** A variable, or its path in a group: `Grid/time`. */
const PATH = /^\/?[^\s/]+(\/[^\s/]+){0,8}$/;
const VARIABLE = /^[^\s/]+$/;
const FIELD = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/;
const ATTRIBUTE = /^@([^\s@]+)$/;
const ALONG_FORM = "a coordinate such as time, granule, or none";
const FIELD_FORM = "a field of the name such as {start}";
const COORDINATE_FORM = "a field of the name such as {cycle}, a global attribute such as @orbit_number, or name";

const variable = written("a variable's name", (text) => VARIABLE.test(text));
const fieldName = written("the name of a field, such as start", (text) => FIELD.test(`{${text}}`));
const coordinateSource = written(COORDINATE_FORM, (text) => text === "name" || FIELD.test(text) || ATTRIBUTE.test(text));

/** What a collection has only along granules, and what only without an axis. */
const KEYS_OF = { order: "granule", coordinates: "granule", static: "granule", newest: "none" } as const;

/** `collection` of a dataset file. */
export const collectionSchema = mapping(
  {
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, { error: "a name of lower-case letters, digits, dots, hyphens and underscores" })
      .optional()
      .describe("Unique in the dataset. Default: collection."),
    along: written(ALONG_FORM, (text) => PATH.test(text)).describe(
      "What granules are stacked along: their coordinate of time; granule: a new dimension; none: one granule is all of it.",
    ),
    dimension: variable
      .optional()
      .describe("The dimension along which granules are stacked. Default: the coordinate's own, or `along`."),
    order: list(fieldName, "a list of fields of the name")
      .optional()
      .describe("With `along: granule`: fields by which granules are ordered. Default: by their time, then by key."),
    coordinates: z
      .record(variable, coordinateSource, { error: `a mapping from names to ${COORDINATE_FORM}` })
      .optional()
      .describe("With `along: granule`: coordinates with a value for each granule: {field}, @attribute of the file, name."),
    static: list(variable, "a list of variables", 0)
      .optional()
      .describe(
        "With `along: granule`: variables that are the same in every granule. Default: coordinates of dimensions, and grid mappings.",
      ),
    newest: written(FIELD_FORM, (text) => FIELD.test(text))
      .optional()
      .describe("With `along: none`: the field that says which granule is newer."),
    store: folder.describe("Where the product is kept: a folder, relative to this file, or file:///…"),
    split: wholeNumber(1, 1_000_000).optional().describe("Positions for each manifest of the store. Default: 1000."),
    also: formsSchema.optional().describe("Forms that are published beside the store."),
  },
  ["codec", "chunks", "keep", "streams", "calendar-of-file"],
).superRefine((collection, context) => {
  const { along } = collection;
  for (const [key, needed] of Object.entries(KEYS_OF)) {
    if (collection[key as keyof typeof KEYS_OF] === undefined || along === needed) continue;
    context.addIssue({
      code: "custom",
      path: [key],
      message: `nothing, unless along is ${needed}`,
      params: { found: `along: ${along}` },
    });
  }
  if (along === "none" && collection.newest === undefined)
    context.addIssue({ code: "custom", path: ["newest"], message: FIELD_FORM, params: { found: "nothing" } });
  if (along === "none" && collection.dimension !== undefined)
    context.addIssue({
      code: "custom",
      path: ["dimension"],
      message: "nothing, where along is none",
      params: { found: "a dimension" },
    });
});

export type CollectionInput = z.infer<typeof collectionSchema>;

/**
 * The product that a checked `collection` declares.
 * @param kinds of the fields of its granules' names. A field that is not among them is refused once the dataset is complete.
 */
export function completeCollection(
  input: CollectionInput,
  kinds: ReadonlyMap<string, FieldKind>,
  baseFolder: string,
  defaultSplit: number,
): CollectionProduct {
  const store = parseFolder(input.store, baseFolder);
  if (store === undefined) throw new FreshetError("corrupt", "a checked dataset document cannot be read");
  const product = {
    kind: "collection",
    name: input.name ?? "collection",
    store: store.replace(/\/$/, ""),
    split: input.split ?? defaultSplit,
    ...completeForms(input.also, baseFolder),
  } as const;
  const { along, order, coordinates = {}, newest = "" } = input;
  if (along === "none") {
    const field = fieldOf(newest);
    return { ...product, along, axis: "", dimension: "", newest: field, time: timeField(kinds, [field]) };
  }
  if (along === "granule") {
    const dimension = input.dimension ?? along;
    const time = timeField(kinds, order ?? []);
    const sources = Object.entries(coordinates).map(([name, text]) => [name, coordinateOf(text, kinds)] as const);
    return {
      ...product,
      along,
      axis: dimension,
      dimension,
      order: order ?? [time],
      coordinates: Object.fromEntries(sources),
      ...(input.static === undefined ? {} : { static: [...new Set(input.static)].sort() }),
      time,
    };
  }
  const axis = along.replace(/^\//, "");
  return { ...product, along: "coordinate", axis, dimension: input.dimension ?? axis.slice(axis.lastIndexOf("/") + 1) };
}

function coordinateOf(text: string, kinds: ReadonlyMap<string, FieldKind>): GranuleCoordinate {
  if (text === "name") return { from: "name" };
  const attribute = ATTRIBUTE.exec(text)?.[1];
  if (attribute !== undefined) return { from: "attribute", attribute };
  const field = fieldOf(text);
  return { from: "field", field, kind: kinds.get(field) ?? "text" };
}

function fieldOf(text: string): string {
  return FIELD.exec(text)?.[1] ?? "";
}

/** `valid`, or else the first instant by which granules are ordered, or else the first by name; "" where there is none. */
function timeField(kinds: ReadonlyMap<string, FieldKind>, order: readonly string[]): string {
  const fields = ["valid", ...order, ...[...kinds.keys()].sort()];
  return fields.find((field) => kinds.get(field) === "instant") ?? "";
}
