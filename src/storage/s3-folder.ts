import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { FreshetError } from "../errors/index.ts";
import { requestTurn } from "./host-turns.ts";
import { retriedRead } from "./retried-read.ts";
import { openS3, type S3, type S3Connection, s3Host } from "./s3-client.ts";
import { s3Error } from "./s3-error.ts";
import { s3Place } from "./s3-uri.ts";
import { LIMITS } from "./source-limits.ts";

/** What one request may send, and what one request copies inside the store (Amazon S3 user guide, "Uploading objects", "Copying objects"). */
const MOST_BYTES = 5 * 1024 ** 3;
/** Keys to a request that removes (Amazon S3 API reference, DeleteObjects). */
const MOST_KEYS = 1000;

/** An object's content and what a conditional write holds it against. */
export interface StoredBytes {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

/** An object of a folder, without its content. */
export interface ObjectFacts {
  readonly etag: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  /** What its writer said of it. */
  readonly told: Readonly<Record<string, string>>;
}

/** What lies in a folder: objects, and folders with a final `/`. */
export interface S3Entry {
  /** Below the folder. */
  readonly path: string;
  /** Undefined for a folder. */
  readonly modifiedMs: number | undefined;
}

export interface WriteCondition {
  /** Only where the object is this one; null: only where there is none. */
  readonly onlyIf: string | null;
}

/**
 * A folder of a bucket that is written to. Requests that fail for now are tried again a few times; all of them may be repeated.
 * @throws FreshetError of every method: `source-refused`, `source-unavailable`, as readers do.
 */
export class S3Folder {
  /** `s3://bucket/prefix/`. */
  readonly uri: string;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #connection: S3Connection;

  /** @param uri with or without a final `/`. */
  constructor(uri: string, connection: S3Connection) {
    this.uri = uri.endsWith("/") ? uri : `${uri}/`;
    const { bucket, key } = s3Place(this.uri);
    this.#bucket = bucket;
    this.#prefix = key;
    this.#connection = connection;
  }

  /** Undefined where there is no such object. */
  read(path: string): Promise<StoredBytes | undefined> {
    return this.#ask(path, async ({ sdk, client }) => {
      const command = new sdk.GetObjectCommand({ Bucket: this.#bucket, Key: this.#prefix + path });
      const { Body, ETag = "" } = await client.send(command);
      return { bytes: (await Body?.transformToByteArray()) ?? new Uint8Array(0), etag: ETag };
    });
  }

  /** Undefined where there is no such object. */
  facts(path: string): Promise<ObjectFacts | undefined> {
    return this.#ask(path, async ({ sdk, client }) => {
      const command = new sdk.HeadObjectCommand({ Bucket: this.#bucket, Key: this.#prefix + path });
      const { ETag = "", ContentLength = 0, LastModified, Metadata = {} } = await client.send(command);
      return { etag: ETag, bytes: ContentLength, modifiedMs: LastModified?.getTime() ?? 0, told: Metadata };
    });
  }

  /**
   * Writes an object: it is there whole or not at all.
   * @param content bytes, or the path of a file that holds them: at most 5 GiB.
   * @returns false where the condition did not hold. After a lost answer that may be our own earlier try: whoever minds looks.
   */
  async write(path: string, content: Uint8Array | string, condition?: WriteCondition): Promise<boolean> {
    const size = typeof content === "string" ? (await stat(content)).size : content.length;
    this.#requireSize(size, path);
    const { onlyIf } = condition ?? {};
    const only = onlyIf === undefined ? {} : onlyIf === null ? { IfNoneMatch: "*" } : { IfMatch: onlyIf };
    const written = await this.#ask(
      path,
      async ({ sdk, client }) => {
        const Body = typeof content === "string" ? createReadStream(content) : content;
        const place = { Bucket: this.#bucket, Key: this.#prefix + path };
        const about = { ContentLength: size, ContentType: contentTypeOf(path) };
        await client.send(new sdk.PutObjectCommand({ ...place, ...about, ...only, Body }));
        return true;
      },
      { isConditional: condition !== undefined, isLong: typeof content === "string" },
    );
    return written ?? false;
  }

  /**
   * Makes `to` what `from` is, inside the store: nothing is sent.
   * @param told what `to` says of itself (see `ObjectFacts`).
   * @returns false where there is no `from`.
   */
  async copy(from: string, to: string, told: Readonly<Record<string, string>> = {}): Promise<boolean> {
    const copied = await this.#ask(to, async ({ sdk, client }) => {
      const source = `${this.#bucket}/${this.#prefix}${from}`.split("/").map(encodeURIComponent).join("/");
      const place = { Bucket: this.#bucket, Key: this.#prefix + to, CopySource: source };
      const about = { MetadataDirective: "REPLACE", Metadata: { ...told }, ContentType: contentTypeOf(to) } as const;
      await client.send(new sdk.CopyObjectCommand({ ...place, ...about }));
      return true;
    });
    return copied ?? false;
  }

  /** Everything below `path` (`""` or with a final `/`), or with `isFlat` what lies in it directly. */
  async *list(path: string, { isFlat = false } = {}): AsyncGenerator<S3Entry> {
    const Prefix = this.#prefix + path;
    let next: string | undefined;
    do {
      const page = await this.#ask(path, ({ sdk, client }) => {
        const after = next === undefined ? {} : { ContinuationToken: next };
        const flat = isFlat ? { Delimiter: "/" } : {};
        return client.send(new sdk.ListObjectsV2Command({ Bucket: this.#bucket, Prefix, ...flat, ...after }));
      });
      for (const { Key = "", LastModified } of page?.Contents ?? [])
        yield { path: Key.slice(this.#prefix.length), modifiedMs: LastModified?.getTime() ?? 0 };
      for (const { Prefix: folder = "" } of page?.CommonPrefixes ?? [])
        yield { path: folder.slice(this.#prefix.length), modifiedMs: undefined };
      next = page?.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (next !== undefined);
  }

  /** Removes objects, in this order a thousand at a time; that there is none is no error. */
  async remove(paths: readonly string[]): Promise<void> {
    for (let at = 0; at < paths.length; at += MOST_KEYS) {
      const some = paths.slice(at, at + MOST_KEYS);
      await this.#ask(some[0] as string, async ({ sdk, client }) => {
        const Objects = some.map((path) => ({ Key: this.#prefix + path }));
        const command = new sdk.DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } });
        const [failure] = (await client.send(command)).Errors ?? [];
        if (failure === undefined) return;
        throw new FreshetError("source-refused", "the service does not remove an object", {
          found: `${failure.Code}: ${failure.Message}`,
          uri: `${this.uri}${some[0]}`,
        });
      });
    }
  }

  /**
   * Undefined where there is no such object.
   * @param isConditional undefined is answered where a condition does not hold, too.
   * @param isLong a long body is sent: the answer begins when all of it is there.
   */
  async #ask<T>(
    path: string,
    request: (s3: S3) => Promise<T>,
    { isConditional = false, isLong = false } = {},
  ): Promise<T | undefined> {
    const once = async (): Promise<T | undefined> => {
      const limits = isLong ? { firstByteMs: LIMITS.wholeMs } : {};
      const release = await requestTurn(s3Host(this.#bucket, this.#connection), {}, undefined);
      try {
        return await request(await openS3(this.#connection, limits));
      } catch (error) {
        const { name, $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
        const status = $metadata?.httpStatusCode;
        // What If-Match asks for may have been removed; two conditional writes at once are a 409.
        if (status === 404 && name !== "NoSuchBucket") return undefined;
        if (isConditional && (status === 412 || (status === 409 && name === "ConditionalRequestConflict"))) return undefined;
        throw s3Error(error, `${this.uri}${path}`, undefined);
      } finally {
        release();
      }
    };
    return retriedRead(once, undefined, undefined);
  }

  #requireSize(size: number, path: string): void {
    if (size <= MOST_BYTES) return;
    throw new FreshetError("unsupported", "an object is too large to be written at once", {
      found: `${size} bytes`,
      expected: `at most ${MOST_BYTES}`,
      uri: `${this.uri}${path}`,
    });
  }
}

function contentTypeOf(path: string): string {
  if (path.endsWith(".json") || path.endsWith(".zmetadata")) return "application/json";
  return path.endsWith(".zst") ? "application/zstd" : "application/octet-stream";
}
