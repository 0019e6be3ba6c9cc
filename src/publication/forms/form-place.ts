import type { FormFiles } from "../../writers/kerchunk-parquet/index.ts";
import type { FormPointer } from "./form-pointer.ts";

/** One more name of what the pointer names, for readers that want one address. */
export interface Alias {
  readonly name: string;
  /** What stands under it, by the pointer's path; undefined: nothing to change. Default: what the pointer names itself. */
  readonly content?: ((path: string) => Promise<Uint8Array | undefined>) | undefined;
}

/** Which versions stay. */
export interface Keeping {
  /** The newest so many. */
  readonly versions: number;
  /** All that are younger. Milliseconds. */
  readonly forMs: number;
  /** What readers saw until less than this ago stays too. Milliseconds. */
  readonly graceMs: number;
  readonly nowMs: number;
}

/** Where a form is published: its versions, each whole under a name of its own, and the pointer to the newest. */
export interface FormPlace {
  /** What the name of a version that is a folder has to be made of besides, so that no two writers write into one. */
  readonly attempt: readonly string[];
  /** Undefined while nothing is shown. @throws FreshetError `corrupt` for a pointer that is not ours. */
  pointer(): Promise<FormPointer | undefined>;
  /** A new path on this machine to write a version at, as a file or a folder. */
  draft(): Promise<string>;
  /**
   * Gives a draft, which is whole and on disk, its name, with what it took over of `previous`. One that is there already stays, or is
   * of equal content.
   */
  keep(draft: string, name: string, previous?: FormFiles): Promise<void>;
  /** The files of a version that is a folder. */
  files(name: string): FormFiles;
  /**
   * Lets readers see a version that is kept, if they see no newer one, and then by the alias too.
   * @returns what readers see then.
   */
  show(next: FormPointer, alias?: Alias): Promise<FormPointer>;
  /**
   * Removes what writers that are gone have left, and versions that are not to stay. What readers see stays.
   * @param sequenceOf of a version by its name; undefined for what is none.
   * @returns how many versions were removed.
   */
  tidy(sequenceOf: (name: string) => number | undefined, keeping: Keeping): Promise<number>;
  /** Of a form without versions: a file of it by its path, whole or not at all. */
  read(path: string): Promise<Uint8Array | undefined>;
  write(path: string, bytes: Uint8Array): Promise<void>;
  remove(path: string): Promise<void>;
  /** Changes a file that others change too: from what is there to what `change` answers, so that no change is lost. */
  amend(path: string, change: (present: Uint8Array | undefined) => Uint8Array): Promise<void>;
}
