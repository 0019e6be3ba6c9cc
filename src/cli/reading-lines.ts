import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { S3Connection } from "../storage/index.ts";
import { readSetUpRecord } from "./set-up-record.ts";
import { shellWord } from "./shell-word.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
/** The Node that set-up links, as one would type it in the project's folder. */
const PROJECT_NODE = ".freshet/node";
/** The Python with the readers, once set-up has made it; for the project's folder. */
const PYTHON_OF_SET_UP = `"$(node -p 'require("./.freshet/set-up.json").python')"`;
const OPEN_FOR_READING = "./src/writers/icechunk/open-for-reading.ts";
const STORE = "./src/writers/icechunk/icechunk-store.ts";

/** Commands for a shell that open a product. Each is one command of several lines, to be pasted as it is. */
export interface ReadingLines {
  /** xarray on icechunk, in Python. */
  readonly xarray: string;
  /** zarrita, in Node; for the project's folder. */
  readonly zarrita: string;
}

/** What is opened. */
export interface ReadingPlace {
  /** Path of the repository. */
  readonly folder: string;
  /** Where its references may point; a reader has to allow these. */
  readonly prefixes: readonly string[];
  /** How those of `s3:` are reached: only whether requests are signed matters, the rest stands in the store. */
  readonly s3?: S3Connection | undefined;
  /** Path of the array that is shown: `/analysed_sst`. */
  readonly array: string;
  /** Id of a version; default: the published one. */
  readonly version?: string | undefined;
}

/** The commands that open a version of a product and show the last step of one of its arrays. */
export function readingLines(place: ReadingPlace): ReadingLines {
  return { xarray: xarrayLines(place), zarrita: zarritaLines(place) };
}

function xarrayLines({ folder, prefixes, s3, array, version }: ReadingPlace): string {
  const which = version === undefined ? text("main") : `snapshot_id=${text(version)}`;
  const group = array.slice(1, Math.max(1, array.lastIndexOf("/")));
  const name = array.slice(array.lastIndexOf("/") + 1);
  const credentials = prefixes.map((prefix) => `${text(prefix)}: icechunk.${accessTo(prefix, s3)}`).join(", ");
  const program = [
    "",
    "import icechunk, xarray",
    `storage = icechunk.local_filesystem_storage(${text(folder)})`,
    `access = icechunk.containers_credentials({${credentials}})`,
    `session = icechunk.Repository.open(storage, authorize_virtual_chunk_access=access).readonly_session(${which})`,
    `data = xarray.open_zarr(session.store, ${group === "" ? "" : `group=${text(group)}, `}consolidated=False)`,
    `print(data)`,
    `print(${text(`mean of the last step of ${name}:`)}, data[${text(name)}][-1].mean().values)`,
  ];
  // Icechunk warns of writers that meet in a local folder; here nobody writes.
  const { python } = readSetUpRecord();
  const interpreter = python === undefined ? PYTHON_OF_SET_UP : shellWord(python);
  const command = `ICECHUNK_LOG=error ${interpreter} -c ${shellWord(program.join("\n"))}`;
  return python === undefined ? `npm run --silent set-up\n${command}` : command;
}

function zarritaLines({ folder, prefixes, s3, array, version }: ReadingPlace): string {
  const opening =
    version === undefined
      ? [
          `import { openForReading } from ${text(OPEN_FOR_READING)};`,
          `const store = await openForReading(${text(folder)}, ${JSON.stringify(prefixes)}${s3 === undefined ? "" : `, ${JSON.stringify(s3)}`});`,
        ]
      : [
          `import { IcechunkStore } from ${text(STORE)};`,
          // How manifests are split matters to writers alone.
          `const place = { folder: ${text(folder)}, prefixes: ${JSON.stringify(prefixes)}, ${s3 === undefined ? "" : `s3: ${JSON.stringify(s3)}, `}split: { dimension: "time", chunks: 1000 } };`,
          `const store = await (await IcechunkStore.open(place)).reader(${text(version)});`,
        ];
  const program = [
    "",
    'import * as zarr from "zarrita";',
    ...opening,
    `const array = await zarr.open(zarr.root(store).resolve(${text(array)}), { kind: "array" });`,
    "const last = await zarr.get(array, [array.shape[0] - 1, ...array.shape.slice(1).map(() => null)]);",
    `console.log(${text(array.slice(1))}, array.shape, "last values:", last.data.slice(-5));`,
    "process.exit();",
  ];
  const node = existsSync(`${PROJECT}/${PROJECT_NODE}`) ? PROJECT_NODE : process.execPath;
  return `${shellWord(node)} --input-type=module -e ${shellWord(program.join("\n"))}`;
}

/** How Python's Icechunk says that a reader may read there: keys come from his own environment. */
function accessTo(prefix: string, s3: S3Connection | undefined): string {
  if (prefix.startsWith("s3:")) return s3?.anonymous === true ? "s3_anonymous_credentials()" : "s3_from_env_credentials()";
  return prefix.startsWith("file:") ? "credentials.LocalFileSystemAccess" : "credentials.HttpAccess";
}

/** A string in Python and in JavaScript. */
function text(value: string): string {
  return JSON.stringify(value);
}
