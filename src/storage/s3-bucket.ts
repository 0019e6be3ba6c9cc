import { createHash } from "node:crypto";
import type { S3ServiceException } from "@aws-sdk/client-s3";
import { isFreshetError } from "../errors/index.ts";
import { retriedRead } from "./retried-read.ts";
import { openS3, type S3, type S3Connection } from "./s3-client.ts";
import { s3Error } from "./s3-error.ts";
import { s3Place } from "./s3-uri.ts";

/** A part of 8 MiB on a line of 0.3 Mbit/s. */
const ANSWER_MS = 5 * 60_000;
/** What S3 gives to a page. */
const PART_PAGES = 10;

/** A part that the service has. */
export interface UploadedPart {
  /** From 1. */
  readonly number: number;
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * Objects of S3, for writing: requests are always signed, and those that fail for now are made again as reads are. Every body carries its MD5, so what
 * the service keeps is what was sent.
 * @throws FreshetError (each of them) as the service answers: `source-refused`, `source-unavailable`, `source-missing` for an upload that is not there.
 */
export class S3Bucket {
  readonly #connection: S3Connection;

  constructor(connection: S3Connection) {
    this.#connection = { ...connection, anonymous: false };
  }

  /** Bytes of an object; undefined where there is none, or where one may not ask. */
  async sizeOf(uri: string, signal: AbortSignal): Promise<number | undefined> {
    try {
      const output = await this.#ask(uri, signal, ({ sdk, client }, at, how) => client.send(new sdk.HeadObjectCommand(at), how));
      return output.ContentLength;
    } catch (error) {
      // Without the right to list, S3 says forbidden of what is not there.
      if (isFreshetError(error, "source-missing", "source-refused")) return undefined;
      throw error;
    }
  }

  /** Writes an object in one request; it is there whole or not at all. @param onlyNew one that is there already stays as it is. */
  async put(uri: string, bytes: Uint8Array, onlyNew: boolean, signal: AbortSignal): Promise<void> {
    await this.#ask(uri, signal, ({ sdk, client }, at, how) =>
      onceOnly(onlyNew, (condition) =>
        client.send(new sdk.PutObjectCommand({ ...at, ...condition, Body: bytes, ContentMD5: md5(bytes) }), how),
      ),
    );
  }

  /** The bytes of a small object. */
  async get(uri: string, signal: AbortSignal): Promise<Uint8Array> {
    return this.#ask(uri, signal, async ({ sdk, client }, at, how) => {
      const { Body } = await client.send(new sdk.GetObjectCommand(at), how);
      return (await Body?.transformToByteArray()) ?? new Uint8Array(0);
    });
  }

  async remove(uri: string, signal: AbortSignal): Promise<void> {
    await this.#ask(uri, signal, ({ sdk, client }, at, how) => client.send(new sdk.DeleteObjectCommand(at), how));
  }

  /** Begins an upload in parts. Nobody sees anything of it before `complete`. Answers its id. */
  async begin(uri: string, signal: AbortSignal): Promise<string> {
    const { UploadId } = await this.#ask(uri, signal, ({ sdk, client }, at, how) =>
      client.send(new sdk.CreateMultipartUploadCommand(at), how),
    );
    return UploadId as string;
  }

  /** @param number from 1. @param bytes at least 5 MiB, but for the last part. */
  async putPart(uri: string, upload: string, number: number, bytes: Uint8Array, signal: AbortSignal): Promise<UploadedPart> {
    const part = { UploadId: upload, PartNumber: number, Body: bytes, ContentMD5: md5(bytes) };
    const { ETag } = await this.#ask(uri, signal, ({ sdk, client }, at, how) =>
      client.send(new sdk.UploadPartCommand({ ...at, ...part }), how),
    );
    return { number, etag: ETag as string, size: bytes.length };
  }

  /** The parts of an upload that are there, by number; undefined where there is no such upload. */
  async partsOf(uri: string, upload: string, signal: AbortSignal): Promise<UploadedPart[] | undefined> {
    const parts: UploadedPart[] = [];
    let after: string | undefined;
    for (let page = 0; page < PART_PAGES; page++) {
      const marker = after === undefined ? {} : { PartNumberMarker: after };
      const output = await this.#ask(uri, signal, ({ sdk, client }, at, how) =>
        client.send(new sdk.ListPartsCommand({ ...at, UploadId: upload, ...marker }), how),
      ).catch((error: unknown) => {
        if (isFreshetError(error, "source-missing", "source-refused")) return undefined;
        throw error;
      });
      if (output === undefined) return undefined;
      for (const { PartNumber, ETag, Size } of output.Parts ?? [])
        parts.push({ number: PartNumber ?? 0, etag: ETag ?? "", size: Size ?? 0 });
      after = output.NextPartNumberMarker;
      if (output.IsTruncated !== true || after === undefined) break;
    }
    return parts.sort((a, b) => a.number - b.number);
  }

  /** Makes an object of the parts. @param onlyNew one that is there already stays as it is, and the upload is given up. */
  async complete(
    uri: string,
    upload: string,
    parts: readonly UploadedPart[],
    onlyNew: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const Parts = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag }));
    const whole = { UploadId: upload, MultipartUpload: { Parts } };
    const isMade = await this.#ask(uri, signal, ({ sdk, client }, at, how) =>
      onceOnly(onlyNew, (condition) =>
        client.send(new sdk.CompleteMultipartUploadCommand({ ...at, ...condition, ...whole }), how),
      ),
    );
    if (!isMade) await this.abort(uri, upload, signal);
  }

  /** Gives an upload up, and what there is of it; one that is not there is given up already. */
  async abort(uri: string, upload: string, signal: AbortSignal): Promise<void> {
    await this.#ask(uri, signal, ({ sdk, client }, at, how) =>
      client.send(new sdk.AbortMultipartUploadCommand({ ...at, UploadId: upload }), how),
    ).catch(passMissing);
  }

  /** Gives up the uploads below a prefix that were begun before a moment: a thousand of them at most. */
  async abortOld(prefix: string, beforeMs: number, signal: AbortSignal): Promise<void> {
    const { Uploads = [] } = await this.#ask(prefix, signal, ({ sdk, client }, { Bucket, Key }, how) =>
      client.send(new sdk.ListMultipartUploadsCommand({ Bucket, Prefix: Key }), how),
    );
    for (const { Key, UploadId, Initiated } of Uploads) {
      if (Key === undefined || UploadId === undefined || (Initiated?.getTime() ?? beforeMs) >= beforeMs) continue;
      const { bucket: Bucket } = s3Place(prefix);
      await this.#ask(prefix, signal, ({ sdk, client }, _, how) =>
        client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId }), how),
      ).catch(passMissing);
    }
  }

  async #ask<Output>(
    uri: string,
    signal: AbortSignal,
    send: (s3: S3, at: { Bucket: string; Key: string }, how: { abortSignal: AbortSignal }) => Promise<Output>,
  ): Promise<Output> {
    const { bucket, key } = s3Place(uri);
    const s3 = await openS3(this.#connection, { firstByteMs: ANSWER_MS });
    const ask = async (): Promise<Output> => {
      signal.throwIfAborted();
      try {
        return await send(s3, { Bucket: bucket, Key: key }, { abortSignal: signal });
      } catch (error) {
        throw s3Error(error, uri, signal);
      }
    };
    return retriedRead(ask, undefined, signal);
  }
}

/** Under the condition that nothing is there yet, where the service knows it. False where there was something. */
async function onceOnly(onlyNew: boolean, send: (condition: { IfNoneMatch?: string }) => Promise<unknown>): Promise<boolean> {
  try {
    await send(onlyNew ? { IfNoneMatch: "*" } : {});
  } catch (error) {
    const status = onlyNew ? (error as Partial<S3ServiceException>).$metadata?.httpStatusCode : undefined;
    if (status === 412) return false;
    if (status !== 501) throw error;
    await send({});
  }
  return true;
}

/** What is not there has been given up already. */
function passMissing(error: unknown): void {
  if (!isFreshetError(error, "source-missing")) throw error;
}

function md5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("base64");
}
