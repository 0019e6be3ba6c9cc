import { execFile } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createZstdCompress } from "node:zlib";
import { readSetUpRecord } from "../src/cli/set-up-record.ts";
import { bytesCodec } from "../src/codecs/index.ts";
import { arrayMetadata, groupMetadata, type StoreChange } from "../src/writers/icechunk/index.ts";
import { changesJson } from "../src/writers/kerchunk-json/index.ts";
import { folderFiles, kerchunkParquet } from "../src/writers/kerchunk-parquet/index.ts";

const ARRAYS = 10;
const CHUNKS = 10;
const RECORDS = 10_000;
const PART = 100;

/** Granules `from` (inclusive) to `to` (exclusive) of a product of `all`: ten arrays with ten chunks each, in a file of its own. */
async function* granules(folder: string, from: number, to: number, all: number): AsyncGenerator<StoreChange> {
  const metadata = arrayMetadata({
    shape: [all, CHUNKS],
    chunkShape: [1, 1],
    dimensionNames: ["time", "x"],
    dataType: { kind: "number", name: "float64" },
    codecs: [bytesCodec("little")],
    fillValue: 0,
    attributes: new Map(),
  });
  for (let first = from; first < to; first += PART) {
    const slots = Array.from({ length: Math.min(PART, to - first) }, (_, at) => first + at);
    const arrays = Array.from({ length: ARRAYS }, (_, array) => ({
      path: `/v${array}`,
      metadata,
      virtual: slots.flatMap((slot) =>
        Array.from({ length: CHUNKS }, (_, x) => ({
          index: [slot, x],
          uri: `file://${folder}/${"long".repeat(10)}-${slot}.nc`,
          offset: (array * CHUNKS + x) * 8,
          length: 8,
          source: { size: 800 },
        })),
      ),
      native: [],
      erase: [],
      patch: undefined,
    }));
    yield { groups: [{ path: "/", metadata: groupMetadata(new Map()) }], arrays };
  }
}

/**
 * References of so many granules with a hundred chunks each, written as JSON and as Parquet; one granule more; read by zarr-python; and
 * written by kerchunk, where `FRESHET_KERCHUNK_PYTHON` names a Python that has it with fastparquet. Seconds.
 */
export async function forms(count: number, say: (line: string) => void): Promise<Record<string, string | number>[]> {
  const folder = await mkdtemp(join(tmpdir(), "freshet-bench-"));
  const rows: Record<string, string | number>[] = [];
  const timed = async (what: string, place: string, work: () => Promise<unknown>): Promise<void> => {
    say(what);
    const started = performance.now();
    await work();
    const seconds = Math.round(performance.now() - started) / 1000;
    rows.push({ what, references: count * ARRAYS * CHUNKS, seconds, KB: Math.round((await sizeOf(place)) / 1000) });
  };
  const nothing = () => ({ references: 0, inlined: 0, refused: new Map<string, string>() });
  try {
    const [json, zstd, parquet, more] = ["refs.json", "refs.json.zst", "refs.parq", "more.parq"].map((name) =>
      join(folder, name),
    ) as [string, string, string, string];
    await writeFile(join(folder, `${"long".repeat(10)}-${count - 1}.nc`), Buffer.alloc(ARRAYS * CHUNKS * 8));
    await timed("write JSON", json, () =>
      pipeline(Readable.from(changesJson(granules(folder, 0, count, count), nothing())), createWriteStream(json)),
    );
    await timed("write JSON, zstd", zstd, () =>
      pipeline(
        Readable.from(changesJson(granules(folder, 0, count, count), nothing())),
        createZstdCompress(),
        createWriteStream(zstd),
      ),
    );
    await timed("write Parquet", parquet, () =>
      kerchunkParquet(granules(folder, 0, count, count), { folder: parquet, records: RECORDS }),
    );
    await timed("one granule more, Parquet", more, () =>
      kerchunkParquet(granules(folder, count, count + 1, count + 1), {
        folder: more,
        records: RECORDS,
        previous: folderFiles(parquet),
      }),
    );
    const python = process.env.FRESHET_KERCHUNK_PYTHON ?? readSetUpRecord().python;
    if (python === undefined) return rows;
    say("Python");
    const script = fileURLToPath(new URL("./forms.py", import.meta.url));
    const { stdout } = await promisify(execFile)(python, [script, json, parquet, join(folder, "kerchunk"), `${RECORDS}`]);
    for (const [what, seconds] of Object.entries(JSON.parse(stdout) as Record<string, string | number>))
      rows.push({ what: `Python, ${what}`, references: count * ARRAYS * CHUNKS, seconds, KB: "" });
    return rows;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function sizeOf(place: string): Promise<number> {
  const facts = await stat(place);
  if (facts.isFile()) return facts.size;
  const files = await readdir(place, { recursive: true, withFileTypes: true });
  const sizes = files.filter((file) => file.isFile()).map(async (file) => (await stat(join(file.parentPath, file.name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
