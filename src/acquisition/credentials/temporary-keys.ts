import { z } from "zod";
import { FreshetError } from "../../errors/index.ts";
import { getJson, type HttpCredentials, type S3KeyGiver, type S3Keys } from "../../storage/index.ts";

const ANSWER_BYTES = 64 * 1024;
/** So long before their end keys are renewed, or when a quarter of their life is left, if that is less. */
const BEFORE_END_MS = 10 * 60_000;

const keysSchema = z.looseObject({
  accessKeyId: z.string().min(1).max(200),
  secretAccessKey: z.string().min(1).max(500),
  sessionToken: z.string().min(1).max(8_000).optional(),
  expiration: z.string(),
});

/** The temporary keys of S3 that an archive gives (`s3credentials`): fetched when they are needed, renewed before they end, by one request for all who wait. */
export class TemporaryKeys implements S3KeyGiver {
  readonly id: string;
  readonly #url: string;
  readonly #credentials: HttpCredentials;
  #kept: { readonly keys: S3Keys; readonly renewMs: number } | undefined;
  #asked: Promise<S3Keys> | undefined;

  /** @param id where they are given, and to whom; no secret. */
  constructor(url: string, id: string, credentials: HttpCredentials) {
    this.#url = url;
    this.id = id;
    this.#credentials = credentials;
  }

  async keys(): Promise<S3Keys> {
    if (this.#kept !== undefined && Date.now() < this.#kept.renewMs) return this.#kept.keys;
    this.#asked ??= this.#ask().finally(() => {
      this.#asked = undefined;
    });
    return this.#asked;
  }

  async #ask(): Promise<S3Keys> {
    const { value } = await getJson(new URL(this.#url), {
      limit: ANSWER_BYTES,
      credentials: this.#credentials,
      mayRedirectTo: (url) => this.#credentials.mayRedirectTo(url),
      isSecret: true,
    });
    const parsed = keysSchema.safeParse(value);
    const endMs = parsed.success ? Date.parse(parsed.data.expiration.replace(/^(\S+) (\S+?)(\+00:00)?$/, "$1T$2Z")) : Number.NaN;
    if (!parsed.success || Number.isNaN(endMs)) {
      throw new FreshetError("malformed", "the archive's answer holds no temporary keys", {
        expected: "accessKeyId, secretAccessKey, sessionToken, expiration",
        uri: this.#url,
        remedy: "See that credentials.earthdata.s3 is where the archive gives them",
      });
    }
    const { accessKeyId, secretAccessKey, sessionToken } = parsed.data;
    const session = sessionToken === undefined ? {} : { sessionToken };
    const keys = { accessKeyId, secretAccessKey, ...session, expiration: new Date(endMs) };
    const leftMs = endMs - Date.now();
    this.#kept = { keys, renewMs: endMs - Math.min(BEFORE_END_MS, leftMs / 4) };
    return keys;
  }
}
