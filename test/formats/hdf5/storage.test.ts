import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { undoScaleOffset } from "../../../src/codecs/index.ts";
import { FreshetError } from "../../../src/errors/index.ts";
import { placeBeside } from "../../../src/formats/beside.ts";
import type { FormatOptions, FormatScan } from "../../../src/formats/format-scan.ts";
import { scanHdf5 } from "../../../src/formats/hdf5/index.ts";
import { readVirtualArray } from "../../../src/scan/index.ts";
import type { RangeReader } from "../../../src/storage/index.ts";
import { arraysOf, type VirtualArray } from "../../../src/virtual/index.ts";
import { memoryReader } from "../../storage/memory-reader.ts";

/** What make_files.py has libhdf5 read. */
type Expected = Readonly<Record<string, Readonly<Record<string, { type: string; shape: number[]; values: string }>>>>;

const made = new URL("made/", import.meta.url);
const expected = JSON.parse(await readFile(new URL("expected.json", made), "utf8")) as Expected;

/** A file of made/ under its own uri. */
async function readerOf(uri: string): Promise<RangeReader> {
  try {
    return { ...memoryReader(new Uint8Array(await readFile(new URL(uri)))), uri };
  } catch (cause) {
    throw new FreshetError("source-missing", "no such file", { uri, cause });
  }
}

const openBeside =
  (uri: string): FormatOptions["openBeside"] =>
  (name) =>
    readerOf(placeBeside(uri, name, [made.href]));

async function scanMade(name: string, options: FormatOptions = {}): Promise<FormatScan> {
  return await scanHdf5(await readerOf(new URL(name, made).href), options);
}

async function readMade(array: VirtualArray): Promise<Uint8Array> {
  return await readVirtualArray(array, async (uri, offset, length) => (await readerOf(uri)).read(offset, length));
}

async function requireValues(file: string, path: string, array: VirtualArray | undefined): Promise<void> {
  const wanted = expected[file]?.[path];
  assert.ok(wanted !== undefined && array !== undefined, `${file} ${path}`);
  assert.deepEqual(array.shape, wanted.shape, path);
  assert.ok(array.dataType.kind === "number");
  assert.equal(array.dataType.name, wanted.type, path);
  assert.equal(
    createHash("sha256")
      .update(await readMade(array))
      .digest("hex"),
    wanted.values,
    `values of ${path}`,
  );
}

/** Every variable that libhdf5 reads has the same values here; gives the arrays. */
async function requireAll(file: string, options: FormatOptions = {}): Promise<ReadonlyMap<string, VirtualArray>> {
  const { root, outcomes } = await scanMade(file, options);
  assert.deepEqual(
    outcomes.filter(({ outcome }) => outcome === "refused"),
    [],
  );
  const arrays = new Map(arraysOf(root));
  assert.deepEqual([...arrays.keys()].sort(), Object.keys(expected[file] ?? {}).sort());
  for (const [path, array] of arrays) await requireValues(file, path, array);
  return arrays;
}

const reasonsOf = ({ outcomes }: FormatScan): Record<string, string> =>
  Object.fromEntries(outcomes.filter(({ outcome }) => outcome === "refused").map(({ path, reason }) => [path, reason]));

describe("filters that no Zarr codec stands for", () => {
  test("are undone here, and their chunks inlined", async () => {
    const arrays = await requireAll("filters.h5");
    for (const [path, { codecs }] of arrays)
      if (path !== "/deflate_deflate")
        assert.deepEqual(
          codecs.map(({ name }) => name),
          ["bytes"],
          path,
        );
    // Some chunks of noise went through no filter, and are as they are in the file.
    assert.ok([...arrays.values()].filter(({ manifest }) => manifest.counts().ranges === 0).length > 60);
  });

  test("are refused by name and size beyond the limit", async () => {
    const reasons = reasonsOf(await scanMade("filters.h5", { inlineBytes: 2000 }));
    assert.equal(
      reasons["/lzf"],
      "the lzf filter (32000) has no Zarr codec that readers share, and there is too much to decode and inline it: found 6900 bytes, expected at most 2000 (inlineBytes)",
    );
    assert.equal(reasons["/scaleoffset_i1"], undefined);
  });

  test("are all refused where nothing may be inlined", async () => {
    const { root } = await scanMade("filters.h5", { inlineBytes: 0 });
    for (const { manifest } of root.arrays.values()) assert.equal(manifest.counts().inlined, 0);
    assert.ok(root.arrays.size < 12);
  });
});

describe("numbers of sizes that no machine has", () => {
  test("become the next larger ones", async () => {
    await requireAll("numbers.h5");
  });

  test("have a fill value of that type", async () => {
    const { root } = await scanMade("numbers.h5");
    assert.equal(root.arrays.get("i12_at_3")?.fillValue, 3);
    assert.equal(root.arrays.get("u63")?.fillValue, 3n);
    assert.equal(root.arrays.get("bfloat16_be")?.fillValue, -1.5);
  });

  test("with parameters that no writer sets are refused: libhdf5 takes them for something else", () => {
    const chunk = new Uint8Array(40);
    const values = (order: number, numberClass: number) => [
      2,
      0,
      4,
      numberClass,
      2,
      1,
      order,
      ...Array.from({ length: 13 }, () => 0),
    ];
    assert.equal(undoScaleOffset(chunk, values(1, 0), 8).length, 8);
    for (const [order, numberClass] of [
      [3983343616, 0],
      [0, 2],
    ] as const)
      assert.throws(() => undoScaleOffset(chunk, values(order, numberClass), 8), /impossible parameters: found class/);
  });
});

describe("chunks that did not all go through the same filters", () => {
  test("are references where they did, and inlined in the same form where they did not", async () => {
    const arrays = await requireAll("masks.h5");
    const kinds = Object.fromEntries(
      [...arrays].map(([path, { manifest, codecs }]) => {
        const { ranges, inlined } = manifest.counts();
        return [path, [ranges, inlined, ...codecs.map(({ name }) => name.replace("numcodecs.", ""))]];
      }),
    );
    assert.deepEqual(kinds, {
      "/all_plain": [4, 0, "bytes"],
      "/blosc": [2, 2, "bytes", "blosc"],
      "/deflate": [3, 1, "bytes", "zlib"],
      "/edges": [2, 4, "bytes", "zlib"],
      "/lzf": [2, 2, "bytes"],
      "/shuffle_deflate": [2, 2, "bytes", "shuffle", "zlib"],
      "/zstd": [3, 1, "bytes", "zstd"],
    });
  });

  test("are refused where too many would have to be inlined", async () => {
    const reasons = reasonsOf(await scanMade("masks.h5", { inlineBytes: 399 }));
    assert.equal(
      reasons["/deflate"],
      "its chunks did not all go through the same filters (filter masks differ), and there is too much to decode and inline it: found 1600 bytes, expected at most 399 (inlineBytes)",
    );
    assert.equal(reasons["/all_plain"], undefined);
  });
});

describe("a variable that is stored in one piece", () => {
  test("is one chunk up to the wanted size", async () => {
    const arrays = await requireAll("contiguous.h5");
    for (const array of arrays.values()) assert.deepEqual(array.chunkShape, array.shape);
  });

  test("is cut on its slow axes into chunks that divide it", async () => {
    const arrays = await requireAll("contiguous.h5", { chunkBytes: 5000 });
    assert.deepEqual(arrays.get("/time_lat_lon")?.chunkShape, [2, 20, 30]);
    assert.deepEqual(arrays.get("/unwritten")?.chunkShape, [2, 20, 30]);
    assert.deepEqual(arrays.get("/line")?.chunkShape, [2048]);
    assert.deepEqual(arrays.get("/prime")?.chunkShape, [7, 64]);
    assert.equal(arrays.get("/time_lat_lon")?.manifest.counts().ranges, 6);
    assert.equal(arrays.get("/unwritten")?.manifest.counts().missing, 6);
  });

  test("is cut on several axes where one row is still too large", async () => {
    const arrays = await requireAll("contiguous.h5", { chunkBytes: 500 });
    assert.deepEqual(arrays.get("/time_lat_lon")?.chunkShape, [1, 4, 30]);
    assert.deepEqual(arrays.get("/prime")?.chunkShape, [1, 64]);
  });
});

describe("values in other files", () => {
  const uri = (name: string): string => new URL(name, made).href;

  test("are refused where no other file may be opened", async () => {
    assert.deepEqual(reasonsOf(await scanMade("external.h5")), {
      "/forbidden": `its values are in other files (external storage): found "../../../../../../etc/passwd", expected everything in this file: no other may be opened`,
      "/not_there": `its values are in other files (external storage): found "nothing.dat", expected everything in this file: no other may be opened`,
      "/one_file": `its values are in other files (external storage): found "first.dat", expected everything in this file: no other may be opened`,
      "/two_files": `its values are in other files (external storage): found "first.dat", expected everything in this file: no other may be opened`,
    });
    assert.match(
      reasonsOf(await scanMade("virtual.h5"))["/stacked"] ?? "",
      /^it is a virtual dataset: its values are in other datasets: found "step-0.h5"/,
    );
    assert.equal(reasonsOf(await scanMade("links.h5"))["/dataset"], 'a link to "/v" in another file, "step-1.h5"');
  });

  test("of external storage are references into those files", async () => {
    const scan = await scanMade("external.h5", { openBeside: openBeside(uri("external.h5")) });
    const { root } = scan;
    assert.deepEqual(root.arrays.get("one_file")?.manifest.at(0), {
      kind: "range",
      uri: uri("first.dat"),
      offset: 4,
      length: 96,
    });
    await requireValues("external.h5", "/one_file", root.arrays.get("one_file"));
    // 100 bytes of the one file, 80 of the other, and zeros behind its end.
    assert.deepEqual(root.arrays.get("two_files")?.manifest.counts(), { ranges: 0, inlined: 1, missing: 0, rangeBytes: 0 });
    await requireValues("external.h5", "/two_files", root.arrays.get("two_files"));
    const reasons = reasonsOf(scan);
    assert.equal(reasons["/not_there"], 'its values are in another file, which is not there: found "nothing.dat"');
    assert.match(
      reasons["/forbidden"] ?? "",
      /^its values are in other files \(external storage\), and it may not be opened: .*etc\/passwd/,
    );
  });

  test("of a virtual dataset are chunks of its sources where these lie on one grid", async () => {
    const scan = await scanMade("virtual.h5", { openBeside: openBeside(uri("virtual.h5")) });
    const { arrays } = scan.root;
    const shapes = Object.fromEntries(
      [...arrays].map(([name, { chunkShape, manifest }]) => [name, [chunkShape, manifest.counts().ranges]]),
    );
    assert.deepEqual(shapes, {
      growing: [[1, 4, 6], 6],
      growing_from_nothing: [[1, 8, 6], 0],
      joined: [[2, 6], 6],
      joined_plain: [[4, 6], 3],
      of_this_file: [[1, 2, 6], 4],
      own: [[2, 6], 2],
      part: [[2, 6], 2],
      same_names: [[1, 2, 6], 4],
      stacked: [[1, 2, 6], 6],
      steps: [[1, 4, 6], 3],
      with_gap: [[1, 2, 6], 4],
    });
    for (const [name, array] of arrays) await requireValues("virtual.h5", `/${name}`, array);
    assert.deepEqual(reasonsOf(scan), {
      "/cut": "it is a virtual dataset whose chunks are not those of its sources: found blocks that cut chunks",
      "/grown_since": "it is a virtual dataset whose chunks are not those of its sources: found sources of 3 elements for 2",
      "/strided": "it is a virtual dataset: its values are in other datasets, by a selection in strides",
      "/two_kinds": "it is a virtual dataset whose chunks are not those of its sources: found sources of different chunk shapes",
    });
  });

  test("behind external links are those of the other file, each once", async () => {
    const scan = await scanMade("links.h5", { openBeside: openBeside(uri("links.h5")) });
    const arrays = new Map(arraysOf(scan.root));
    assert.deepEqual([...arrays.keys()].sort(), ["/again", "/group/inner"]);
    await requireValues("links.h5", "/again", arrays.get("/again"));
    await requireValues("links.h5", "/group/inner", arrays.get("/group/inner"));
    assert.equal(arrays.get("/again")?.attributes.get("step")?.value[0], 1n);
    const reasons = reasonsOf(scan);
    assert.equal(reasons["/nowhere"], 'a link to "/nothing" in another file, "step-1.h5", which has nothing there');
    assert.equal(reasons["/no_file"], 'a link to "/v" in another file, "nothing.h5", which is not there');
    assert.match(reasons["/forbidden"] ?? "", /and it may not be opened/);
  });

  test("are looked for beside the source, and nowhere outside of the allowed places", () => {
    const places = ["https://host/data/"];
    assert.equal(placeBeside("https://host/data/a/x.h5", "y?.dat", places), "https://host/data/a/y%3F.dat");
    assert.equal(placeBeside("https://host/data/a/x.h5", "../b/y.dat", places), "https://host/data/b/y.dat");
    assert.equal(placeBeside("https://host/data/a/x.h5", "/data/y.dat", places), "https://host/data/y.dat");
    for (const name of [
      "../../y",
      "/etc/passwd",
      "//evil/data/y",
      "https://evil/data/y",
      "file:///data/y",
      "..%2f..%2f..%2fy/../../../y",
    ]) {
      assert.throws(() => placeBeside("https://host/data/a/x.h5", name, places), { kind: "source-refused" }, name);
    }
    assert.throws(() => placeBeside("https://host/data/x.h5", "y", []), { kind: "source-refused" });
  });
});

test("metadata that libhdf5 left in a cache image are read from it", async () => {
  const arrays = await requireAll("cache-image.h5");
  assert.equal(arrays.size, 5);
  assert.equal(arrays.get("/group/v3")?.attributes.get("index")?.value[0], 3n);
});
