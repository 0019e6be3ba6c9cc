import { FreshetError, isFreshetError } from "../../errors/index.ts";
import type { RangeReader } from "../../storage/range-reader.ts";
import type { OpenBeside } from "../format-scan.ts";
import { MAX_OTHER_FILES } from "./limits.ts";

/** The files that a file names beside itself, each opened once. */
export class OtherFiles {
  readonly #openBeside: OpenBeside | undefined;
  readonly #readers = new Map<string, Promise<RangeReader | undefined>>();
  readonly #byUri = new Map<string, RangeReader>();

  constructor(openBeside: OpenBeside | undefined) {
    this.#openBeside = openBeside;
  }

  /** True when any other file may be opened at all. */
  get mayBeOpened(): boolean {
    return this.#openBeside !== undefined;
  }

  /**
   * Opens the file of that name; undefined where there is none. `what` says in errors what is in it.
   * @throws FreshetError `unsupported` where it may not be opened; what the source does else.
   */
  async open(name: string, what: string): Promise<RangeReader | undefined> {
    const openBeside = this.#openBeside;
    if (openBeside === undefined) {
      throw new FreshetError("unsupported", what, {
        found: JSON.stringify(name),
        expected: "everything in this file: no other may be opened",
      });
    }
    let reader = this.#readers.get(name);
    if (reader === undefined) {
      if (this.#readers.size >= MAX_OTHER_FILES)
        throw new FreshetError("unsupported", `more than ${MAX_OTHER_FILES} other files are named`);
      reader = this.#openOnce(openBeside, name, what);
      this.#readers.set(name, reader);
    }
    return await reader;
  }

  /** The opened file with this uri. */
  opened(uri: string): RangeReader | undefined {
    return this.#byUri.get(uri);
  }

  async #openOnce(openBeside: OpenBeside, name: string, what: string): Promise<RangeReader | undefined> {
    try {
      const reader = await openBeside(name);
      this.#byUri.set(reader.uri, reader);
      return reader;
    } catch (error) {
      if (isFreshetError(error, "source-missing")) return undefined;
      if (isFreshetError(error, "source-refused"))
        throw new FreshetError("unsupported", `${what}, and it may not be opened`, { cause: error, found: error.message });
      throw error;
    }
  }
}
