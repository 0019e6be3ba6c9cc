import type { FileHandle } from "node:fs/promises";
import type { ChecksumCheck } from "./checksum.ts";

/** Bytes to a write: a write for each of a stream's pieces of 64 KiB would be most of the work. */
const WRITE_BYTES = 1024 * 1024;
/** Bytes from one moment at which what is written is known to be on the disk to the next. */
const SYNC_BYTES = 64 * 1024 * 1024;

/** A file that is written from its beginning to its end while the next bytes are on their way: one write and one sync are under way at a time. */
export class CopyFile {
  readonly #file: FileHandle;
  readonly #check: ChecksumCheck | undefined;
  readonly #onSynced: (bytes: number) => Promise<void>;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** Where the next write begins. */
  #next = 0;
  #written = 0;
  #syncBegun = 0;
  #synced = 0;
  #writing: Promise<void> = Promise.resolve();
  #syncing: Promise<void> = Promise.resolve();

  /**
   * @param check is shown every byte.
   * @param onSynced called now and then: so many bytes are on the disk. What it throws ends the copy.
   */
  constructor(file: FileHandle, check: ChecksumCheck | undefined, onSynced: (bytes: number) => Promise<void>) {
    this.#file = file;
    this.#check = check;
    this.#onSynced = onSynced;
  }

  /** Bytes that were given to it. */
  get length(): number {
    return this.#next + this.#waitingBytes;
  }

  /** @returns true where a write was begun, as it is every 1 MiB. */
  async add(piece: Uint8Array): Promise<boolean> {
    this.#check?.update(piece);
    this.#waiting.push(piece);
    this.#waitingBytes += piece.length;
    if (this.#waitingBytes < WRITE_BYTES) return false;
    await this.#flush();
    return true;
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
    await Promise.allSettled([this.#writing, this.#syncing]);
    try {
      await this.#file.datasync();
      return this.#written;
    } catch {
      // The disk does not take it: what was synced before is all that counts.
      return this.#synced;
    }
  }

  async #flush(): Promise<void> {
    await this.#writing;
    const pieces = this.#waiting;
    const at = this.#next;
    this.#next += this.#waitingBytes;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#writing = this.#write(pieces, at);
    // Whoever writes or finishes next is told.
    this.#writing.catch(() => undefined);
    if (at - this.#syncBegun < SYNC_BYTES) return;
    await this.#syncing;
    this.#syncBegun = at;
    this.#syncing = this.#sync(at);
    this.#syncing.catch(() => undefined);
  }

  async #write(pieces: Uint8Array[], at: number): Promise<void> {
    for (let rest = pieces, position = at; rest.length > 0; ) {
      const { bytesWritten } = await this.#file.writev(rest, position);
      position += bytesWritten;
      this.#written = position;
      rest = without(rest, bytesWritten);
    }
  }

  async #sync(bytes: number): Promise<void> {
    await this.#file.datasync();
    this.#synced = bytes;
    await this.#onSynced(bytes);
  }
}

/** What is left of pieces when so many bytes of them are written. */
function without(pieces: Uint8Array[], bytes: number): Uint8Array[] {
  let index = 0;
  let left = bytes;
  for (let first = pieces[0]; first !== undefined && left >= first.length; first = pieces[++index]) left -= first.length;
  const [first, ...more] = pieces.slice(index);
  return first === undefined ? [] : [first.subarray(left), ...more];
}
