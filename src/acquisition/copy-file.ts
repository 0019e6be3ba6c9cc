import type { FileHandle } from "node:fs/promises";
import type { ChecksumCheck } from "./checksum.ts";

/** Bytes to a write: each is a hand-over between threads, which on a busy machine takes longer than the write. Twice as many are held by a copy. */
const WRITE_BYTES = 4 * 1024 * 1024;
/** Bytes from one moment at which what is written is known to be on the disk to the next. */
const SYNC_BYTES = 64 * 1024 * 1024;

/**
 * A file that is written from its beginning to its end while the next bytes are on their way: one write and one sync are under way at a time. Pieces
 * are gathered in two buffers in turn: as short-lived garbage they cost little, kept until they are written they cost more than their copying.
 */
export class CopyFile {
  readonly #file: FileHandle;
  readonly #check: ChecksumCheck | undefined;
  readonly #onSynced: (bytes: number) => Promise<void>;
  readonly #bufferBytes: number;
  #filling: Buffer | undefined;
  #spare: Buffer | undefined;
  #filled = 0;
  /** Where the next write begins. */
  #next = 0;
  #written = 0;
  #syncBegun = 0;
  #synced = 0;
  #writing: Promise<void> = Promise.resolve();
  #syncing: Promise<void> = Promise.resolve();

  /**
   * @param size bytes that are expected in all.
   * @param check is shown every byte.
   * @param onSynced called now and then: so many bytes are on the disk. What it throws ends the copy.
   */
  constructor(file: FileHandle, size: number, check: ChecksumCheck | undefined, onSynced: (bytes: number) => Promise<void>) {
    this.#file = file;
    this.#bufferBytes = Math.max(1, Math.min(size, WRITE_BYTES));
    this.#check = check;
    this.#onSynced = onSynced;
  }

  /** Bytes that were given to it. */
  get length(): number {
    return this.#next + this.#filled;
  }

  /** @returns true where a write was begun, as it is every 4 MiB. */
  async add(piece: Uint8Array): Promise<boolean> {
    this.#check?.update(piece);
    let hasWritten = false;
    for (let rest = piece; rest.length > 0; ) {
      if (this.#filled === 0 && rest.length >= this.#bufferBytes) {
        // Large enough for a write by itself: a small granule comes in one piece.
        await this.#begin(rest);
        // The piece is not ours.
        await this.#writing;
        return true;
      }
      this.#filling ??= Buffer.allocUnsafeSlow(this.#bufferBytes);
      const taken = rest.subarray(0, this.#filling.length - this.#filled);
      this.#filling.set(taken, this.#filled);
      this.#filled += taken.length;
      rest = rest.subarray(taken.length);
      if (this.#filled < this.#filling.length) continue;
      await this.#flush();
      hasWritten = true;
    }
    return hasWritten;
  }

  /** When it resolves, all of it is on the disk. */
  async finish(): Promise<void> {
    await this.#flush();
    await this.#writing;
    await this.#syncing;
    await this.#file.sync();
  }

  /** Ends what is under way, however that ends. @returns the bytes that are on the disk. */
  async giveUp(): Promise<number> {
    try {
      await this.#flush();
      await this.#writing;
      await this.#file.datasync();
      return this.#written;
    } catch {
      // The disk does not take it: what was synced before is all that counts.
      return this.#synced;
    } finally {
      await this.#syncing.catch(() => undefined);
    }
  }

  async #flush(): Promise<void> {
    const buffer = this.#filling;
    if (buffer === undefined || this.#filled === 0) return this.#writing;
    const bytes = buffer.subarray(0, this.#filled);
    await this.#writing;
    this.#filled = 0;
    this.#filling = this.#spare;
    this.#spare = buffer;
    await this.#begin(bytes);
  }

  /** Begins the next write, and now and then a sync, when the ones before have ended. */
  async #begin(bytes: Uint8Array): Promise<void> {
    await this.#writing;
    const at = this.#next;
    this.#next += bytes.length;
    this.#writing = this.#write(bytes, at);
    // Whoever writes or finishes next is told.
    this.#writing.catch(() => undefined);
    if (at - this.#syncBegun < SYNC_BYTES) return;
    await this.#syncing;
    this.#syncBegun = at;
    this.#syncing = this.#sync(at);
    this.#syncing.catch(() => undefined);
  }

  async #write(bytes: Uint8Array, at: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, at + done);
      done += bytesWritten;
      this.#written = at + done;
    }
  }

  async #sync(bytes: number): Promise<void> {
    await this.#file.datasync();
    this.#synced = bytes;
    await this.#onSynced(bytes);
  }
}
