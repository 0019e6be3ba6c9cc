import { markIn, withEntries, type XredsMap, xredsEntries } from "../../catalog/index.ts";
import type { Dataset, Form, Product } from "../../dataset/index.ts";
import { FreshetError } from "../../errors/index.ts";
import { catalogFacts, type Published } from "./catalog-facts.ts";
import type { FormPlace } from "./form-place.ts";
import { placeOf } from "./place-of.ts";

/** A dataset map of xreds: a file that datasets, and other tools, may share. */
export class XredsFile {
  readonly #to: string;
  readonly #name: string;
  readonly #place: FormPlace;

  private constructor(to: string, place: FormPlace) {
    this.#to = to;
    this.#name = decodeURIComponent(to.slice(to.lastIndexOf("/") + 1));
    this.#place = place;
  }

  static async at({ to, s3 }: Pick<Form, "to" | "s3">): Promise<XredsFile> {
    return new XredsFile(to, await placeOf({ to: to.slice(0, to.lastIndexOf("/")), s3 }));
  }

  /** What the file says of a product. @throws FreshetError `corrupt` for what is no map. */
  async mark(dataset: Dataset, product: Product): Promise<ReturnType<typeof markIn>> {
    return markIn(this.#read(await this.#place.read(this.#name)), dataset.name, product.name);
  }

  /** Makes the entries of a product those of the version. @throws FreshetError `unsupported` where xreds cannot read it in any form. */
  async write(published: Published, nowMs: number): Promise<void> {
    const facts = await catalogFacts(published);
    const entries = xredsEntries(facts, nowMs);
    if (Object.keys(entries).length === 0) {
      throw new FreshetError("unsupported", "xreds can open this product in none of its forms", {
        found: facts.forms.length === 0 ? "no form beside the store" : facts.forms.map(({ kind }) => kind).join(", "),
        expected:
          "kerchunk-json without compression, of a forecast with `view`; or a store whose granules lie in one public prefix of S3",
        uri: this.#to,
      });
    }
    await this.#place.amend(this.#name, (present) => {
      const next = withEntries(this.#read(present), facts, entries);
      return Buffer.from(`${JSON.stringify(next, undefined, 2)}\n`);
    });
  }

  #read(bytes: Uint8Array | undefined): XredsMap {
    if (bytes === undefined) return {};
    const text = Buffer.from(bytes).toString();
    try {
      const map: unknown = JSON.parse(text);
      if (typeof map === "object" && map !== null && !Array.isArray(map)) return map as XredsMap;
    } catch {
      // It is told below, as any other content that is no map.
    }
    throw new FreshetError("corrupt", "the dataset map of xreds cannot be read", {
      found: text.slice(0, 80),
      expected: "a JSON object",
      uri: this.#to,
      remedy: "Name a file of its own; YAML is not read",
    });
  }
}
