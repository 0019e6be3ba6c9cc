import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isFreshetError } from "../../errors/index.ts";
import { writeWhole } from "../../storage/index.ts";
import { type FormFiles, folderFiles } from "./form-files.ts";
import { Partition } from "./partition.ts";
import { decodePartition, encodePartition } from "./partition-file.ts";

/** Partitions that are held in memory: of 10 000 records some 60 MB with their uris. */
const HELD = 200;

interface Held {
  readonly partition: Partition;
  isChanged: boolean;
}

/**
 * The partitions of a Parquet form that is being written, by array and number. A partition that nobody asks for is not read; of
 * those that are asked for, the ones used last are held.
 */
export class Partitions {
  /** Files that were written, and that were taken over as they are. */
  written = 0;
  copied = 0;
  readonly #folder: string;
  readonly #written: FormFiles;
  readonly #previous: FormFiles | undefined;
  readonly #records: number;
  readonly #held = new Map<string, Held>();
  /** Partitions whose last word is the new folder's; those without a reference have no file there. */
  readonly #inFolder = new Set<string>();
  /** Arrays that begin empty, whatever the previous version has. */
  readonly #anew = new Set<string>();

  /** @param previous the version that it begins with. */
  constructor(folder: string, previous: FormFiles | undefined, records: number) {
    this.#folder = folder;
    this.#written = folderFiles(folder);
    this.#previous = previous;
    this.#records = records;
  }

  /** A partition to be looked at, or, with `isChanged`, to be changed. @param path of the array. */
  async open(path: string, number: number, isChanged = true): Promise<Partition> {
    const name = nameOf(path, number);
    const held = this.#held.get(name) ?? { partition: await this.#read(path, number), isChanged: false };
    held.isChanged ||= isChanged;
    this.#held.delete(name);
    this.#held.set(name, held);
    for (const [oldest, other] of this.#held) {
      if (this.#held.size <= HELD) break;
      this.#held.delete(oldest);
      if (other.isChanged) await this.#write(oldest, other.partition);
    }
    return held.partition;
  }

  /** From now on the array's partitions begin empty. */
  beginAnew(path: string): void {
    this.#anew.add(path);
  }

  /** The partition as the previous version has it; undefined where it has none. */
  async previous(path: string, number: number): Promise<Partition | undefined> {
    return this.#previous === undefined ? undefined : this.#decoded(this.#previous, nameOf(path, number));
  }

  /** Takes over the previous version's file, where it has one and nothing was written in its place. */
  async keep(path: string, number: number): Promise<void> {
    const name = nameOf(path, number);
    if (this.#previous === undefined || this.#inFolder.has(name) || this.#held.get(name)?.isChanged === true) return;
    if (await this.#previous.takeOver(name, this.#folder)) this.copied++;
  }

  /** Writes what is held. */
  async flush(): Promise<void> {
    for (const [name, { partition, isChanged }] of this.#held) if (isChanged) await this.#write(name, partition);
    this.#held.clear();
  }

  async #read(path: string, number: number): Promise<Partition> {
    const name = nameOf(path, number);
    let partition: Partition | undefined;
    if (this.#inFolder.has(name)) partition = await this.#decoded(this.#written, name);
    else if (!this.#anew.has(path)) partition = await this.previous(path, number);
    return partition ?? new Partition(this.#records);
  }

  async #decoded(files: FormFiles, name: string): Promise<Partition | undefined> {
    const bytes = await files.read(name);
    if (bytes === undefined) return undefined;
    try {
      return await decodePartition(bytes, this.#records);
    } catch (error) {
      throw isFreshetError(error) ? error.at({ uri: `${files.place}/${name}` }) : error;
    }
  }

  async #write(name: string, partition: Partition): Promise<void> {
    const file = join(this.#folder, name);
    this.#inFolder.add(name);
    if (partition.filled === 0) return rm(file, { force: true });
    await writeWhole(file, encodePartition(partition));
    this.written++;
  }
}

function nameOf(path: string, number: number): string {
  return `${path.slice(1)}/refs.${number}.parq`;
}
