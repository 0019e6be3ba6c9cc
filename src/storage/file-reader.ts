import type { Stats } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { FreshetError } from "../errors/index.ts";
import type { RangeReader, SourceIdentity } from "./range-reader.ts";

/**
 * Opens a local file by path or `file:` URL. Its identity is size and modification time; each read looks at them again, at
 * the path and not only at the open file, so that a file replaced by renaming is noticed as well as one written to.
 * @throws FreshetError `source-missing` (absent, or no regular file), `source-refused` (permission), `source-unavailable`.
 */
export async function openFileReader(path: string): Promise<RangeReader> {
  const absolute = path.startsWith("file:") ? pathOf(path) : resolve(path);
  const uri = pathToFileURL(absolute).href;
  try {
    const facts = await stat(absolute);
    // Not opened before it is known to be a file: opening a pipe would wait for its writer.
    if (!facts.isFile()) {
      const found = facts.isDirectory() ? "a directory" : "a pipe, socket or device";
      throw new FreshetError("source-missing", "there is no file to read", { found, expected: "a regular file", uri });
    }
    return new FileReader(uri, absolute, facts, await open(absolute, "r"));
  } catch (error) {
    throw fileError(error, uri);
  }
}

class FileReader implements RangeReader {
  readonly uri: string;
  readonly size: number;
  readonly identity: SourceIdentity;
  readonly #path: string;
  readonly #opened: Stats;
  readonly #handle: FileHandle;
  /** A look at the path that has not begun yet: whoever has read by now may share it. */
  #nextLook: Promise<void> | undefined;
  #look: Promise<void> = Promise.resolve();

  constructor(uri: string, path: string, opened: Stats, handle: FileHandle) {
    this.uri = uri;
    this.size = opened.size;
    this.identity = { size: opened.size, lastModifiedMs: opened.mtimeMs };
    this.#path = path;
    this.#opened = opened;
    this.#handle = handle;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    requireInside(this, offset, length);
    // Every byte of it is read, or nothing of it is given away.
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
    try {
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await this.#handle.read(bytes, filled, length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      await this.#requireUnchangedSince();
      if (filled < length) throw new FreshetError("source-unavailable", "the file ends early", { uri: this.uri, offset });
      return bytes;
    } catch (error) {
      throw fileError(error, this.uri);
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  /** One look at the path serves all reads that were done when it began. */
  #requireUnchangedSince(): Promise<void> {
    this.#nextLook ??= this.#look
      .catch(() => {})
      .then(() => {
        this.#nextLook = undefined;
        this.#look = this.#requireUnchanged();
        return this.#look;
      });
    return this.#nextLook;
  }

  async #requireUnchanged(): Promise<void> {
    const now = await stat(this.#path).catch(() => undefined);
    if (now?.ino === this.#opened.ino && now.size === this.size && now.mtimeMs === this.#opened.mtimeMs) return;
    throw new FreshetError("source-changed", "the file changed while it was being read", {
      found: now === undefined ? "no file" : `${now.size} bytes of ${now.mtime.toISOString()}`,
      expected: `${this.size} bytes of ${this.#opened.mtime.toISOString()}`,
      uri: this.uri,
      remedy: "Try again when its writer has finished",
    });
  }
}

/** @throws FreshetError `truncated` when the bytes asked for are not all inside the source. */
export function requireInside(source: { readonly uri: string; readonly size: number }, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= source.size) return;
  throw new FreshetError("truncated", "the source ends before the bytes that are asked for", {
    found: `${source.size} bytes in all`,
    expected: `${length} bytes from ${offset}`,
    uri: source.uri,
  });
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new FreshetError("usage", "not a local file URL", { found: url, expected: "file:///absolute/path", cause });
  }
}

function fileError(error: unknown, uri: string): unknown {
  if (!(error instanceof Error) || error instanceof FreshetError) return error;
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOENT":
    case "ENOTDIR":
      return new FreshetError("source-missing", "there is no such file", { uri, cause: error });
    case "EACCES":
    case "EPERM":
      return new FreshetError("source-refused", "the file may not be read", {
        uri,
        remedy: "Check its permissions and those of the folders above it",
        cause: error,
      });
    default:
      return new FreshetError("source-unavailable", "the file cannot be read", { found: error.message, uri, cause: error });
  }
}
