import { z } from "zod";
import type { Catalog, Dataset, Product } from "./dataset.ts";
import { DURATION_FORM, DURATION_PATTERN, parseDuration } from "./duration.ts";
import type { Form } from "./form.ts";
import { list, mapping, written } from "./mapping.ts";
import { completeS3 } from "./s3-access.ts";
import { place, type S3Input, s3Schema } from "./source-schema.ts";
import { parsePlace } from "./source-uri.ts";

const DEFAULT_EVERY = "1h";
/** STAC 1.1.0: the license of what has no SPDX identifier. */
const OTHER_LICENSE = "other";

const line = (what: string) => written(what, (text) => text.length > 0 && text.length <= 4000);
const degrees = (most: number) => z.number({ error: "degrees" }).min(-most).max(most);
const shared = {
  s3: s3Schema.optional().describe("How s3:// is reached."),
  every: written(DURATION_FORM, (text) => parseDuration(text) !== undefined, DURATION_PATTERN)
    .optional()
    .describe(`How often it is written at most; 0s: with every version. Default: ${DEFAULT_EVERY}.`),
};
const webAddress = written("https://… or http://…", (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol));

/** `catalog`: how others find the products. */
export const catalogSchema = mapping({
  title: line("a title").optional().describe("Default: the dataset's name."),
  description: line("a text").optional().describe("CommonMark."),
  license: written("an SPDX identifier such as CC-BY-4.0, or other", (text) => /^[A-Za-z0-9.+()\- ]{1,100}$/.test(text))
    .optional()
    .describe(`Default: ${OTHER_LICENSE}.`),
  keywords: list(line("a word"), "a list of words").optional(),
  providers: list(
    mapping({
      name: line("a name"),
      roles: list(z.enum(["producer", "licensor", "processor", "host"]), "producer, licensor, processor, host").optional(),
      url: webAddress.optional(),
    }),
    "a list of { name, roles, url }",
  ).optional(),
  extent: z
    .tuple([degrees(180), degrees(90), degrees(180), degrees(90)], { error: "[west, south, east, north] in degrees" })
    .optional()
    .describe("West, south, east, north. Default: as the coordinates of latitude and longitude say."),
  stac: mapping({ to: place.describe("A folder of its own; each product has one in it."), ...shared })
    .optional()
    .describe("A STAC collection and item for each product."),
  xreds: mapping({
    to: place.describe("The file, which datasets may share: xreds calls it its datasets mapping."),
    ...shared,
  })
    .optional()
    .describe("The products in a dataset map of xreds."),
});

/** The catalogue that a checked document declares; relative places are relative to `baseFolder`. */
export function completeCatalog(input: z.infer<typeof catalogSchema>, baseFolder: string): Catalog {
  const { stac, xreds, license, providers, ...about } = input;
  return {
    about: {
      ...about,
      license: license ?? OTHER_LICENSE,
      ...(providers === undefined ? {} : { providers }),
    },
    ...(stac === undefined ? {} : { stac: completePlace(stac, baseFolder) }),
    ...(xreds === undefined ? {} : { xreds: completePlace(xreds, baseFolder) }),
  };
}

/** All that is published of a product beside its store: its forms, then what the catalogue has of it. */
export function formsOf({ catalog }: Pick<Dataset, "catalog">, product: Product): readonly Form[] {
  const forms: Form[] = [...(product.also ?? [])];
  if (catalog?.stac !== undefined) {
    const to = `${catalog.stac.to}/${product.name}`;
    forms.push({ kind: "stac", ...catalog.stac, to, map: {}, about: catalog.about });
  }
  if (catalog?.xreds !== undefined) forms.push({ kind: "xreds", ...catalog.xreds, map: {} });
  return forms;
}

interface PlaceInput {
  readonly to: string;
  readonly s3?: S3Input | undefined;
  readonly every?: string | undefined;
}

function completePlace({ to, s3, every }: PlaceInput, baseFolder: string): NonNullable<Catalog["stac"]> {
  return {
    to: (parsePlace(to, baseFolder) as string).replace(/\/$/, ""),
    ...(s3 === undefined ? {} : { s3: completeS3(s3) }),
    everyMs: parseDuration(every ?? DEFAULT_EVERY) as number,
  };
}
