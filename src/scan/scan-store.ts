import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FreshetError } from "../errors/index.ts";
import { writeWhole } from "../storage/index.ts";
import { readScan, writeScanAside } from "./artefact.ts";
import { ChunkCopies, type CopiedRange, readCopiedRange } from "./chunk-copies.ts";
import type { Scan } from "./scan.ts";

/** Where a scan lies: `uri` is relative to the store, so that the store can be moved. */
export interface ScanAddress {
  readonly uri: string;
  /** Hex SHA-256 of the stored bytes. */
  readonly sha256: string;
}

/** Scans in memory at most: a publication reads what was scanned a moment ago. */
const KEPT = 64;

/**
 * Scans by the hash of their bytes, in a folder. Putting the same scan twice is one object; a scan that does not hash to
 * its name is `corrupt`.
 */
export class ScanStore {
  readonly #folder: string;
  readonly #recent = new Map<string, Scan>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Keeps a scan. When it resolves, the bytes are on disk. @throws FreshetError `storage`. */
  async put(scan: Scan): Promise<ScanAddress> {
    const bytes = await writeScanAside(scan);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const address = { uri: `scans/${sha256.slice(0, 2)}/${sha256}`, sha256 };
    try {
      await writeWhole(join(this.#folder, address.uri), bytes);
    } catch (cause) {
      throw new FreshetError("storage", "a scan could not be kept", {
        found: (cause as Error).message,
        uri: this.#folder,
        remedy: "See that the folder can be written and its disk has room",
        cause,
      });
    }
    this.#remember(sha256, scan);
    return address;
  }

  /** @throws FreshetError `corrupt` when it is not there or not what was kept. */
  async get({ uri, sha256 }: ScanAddress): Promise<Scan> {
    const recent = this.#recent.get(sha256);
    if (recent !== undefined) return recent;
    if (!/^scans\/[0-9a-f]{2}\/[0-9a-f]{64}$/.test(uri))
      throw new FreshetError("corrupt", "this is not the address of a scan", { found: uri });
    const bytes = await readFile(join(this.#folder, uri)).catch((cause: NodeJS.ErrnoException) => {
      throw new FreshetError(cause.code === "ENOENT" ? "corrupt" : "storage", "a scan cannot be read", {
        found: cause.message,
        uri,
        remedy: "Announce the granule again",
        cause,
      });
    });
    const found = createHash("sha256").update(bytes).digest("hex");
    if (found !== sha256) throw new FreshetError("corrupt", "a scan is not what was kept", { found, expected: sha256, uri });
    const scan = readScan(bytes);
    this.#remember(sha256, scan);
    return scan;
  }

  /** A file for the chunks of a granule that is copied. */
  beginCopies(): Promise<ChunkCopies> {
    return ChunkCopies.begin(this.#folder);
  }

  /** @throws FreshetError `corrupt` when it is not there. */
  readCopy(range: CopiedRange): Promise<Uint8Array> {
    return readCopiedRange(this.#folder, range);
  }

  #remember(sha256: string, scan: Scan): void {
    this.#recent.set(sha256, scan);
    if (this.#recent.size > KEPT) this.#recent.delete(this.#recent.keys().next().value as string);
  }
}
