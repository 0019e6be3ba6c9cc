import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { Builder } from "flatbuffers";
import { FreshetError, isFreshetError } from "../../../src/errors/index.ts";
import { chunksOfManifest } from "../../../src/writers/icechunk/stored/manifest.ts";
import { isObjectName, objectName } from "../../../src/writers/icechunk/stored/object-id.ts";
import { ancestryIn, readRepositoryInfo } from "../../../src/writers/icechunk/stored/repository-info.ts";
import { manifestsOfSnapshot } from "../../../src/writers/icechunk/stored/snapshot.ts";
import { missingPython } from "../../support/python.ts";
import { type GrowingStore, growth, openGrowing, publishChange } from "./growing-store.ts";
import { inPython } from "./in-python.ts";

const HEADER_BYTES = 39;
let folder = "";

/** A store with native and virtual chunks in many manifests, and three versions. */
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "freshet-stored-"));
  const growing: GrowingStore = { folder, prefix: "file:///nowhere/", arrays: 2, split: 50 };
  const store = await openGrowing(growing);
  for (const [from, to] of [
    [0, 120],
    [120, 121],
    [121, 1300],
  ] as const)
    await publishChange(store, growth(growing, from, to), `to ${to}`);
});
after(() => rm(folder, { recursive: true, force: true }));

const namesIn = (of: string): Promise<string[]> => readdir(join(folder, of));
const bytesOf = (...path: string[]): Promise<Buffer> => readFile(join(folder, ...path));
const isCorrupt = (error: unknown): boolean => isFreshetError(error, "corrupt");
const isUnsupported = (error: unknown): boolean => isFreshetError(error, "unsupported");

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

describe("names of Icechunk's objects", () => {
  test("are the id's bits, five to a digit, the highest first, zeros behind", () => {
    for (let round = 0; round < 50; round++) {
      const id = Uint8Array.from({ length: 12 }, (_, index) => (index * 89 + round * 57 + ((index * round) % 11) * 23) & 255);
      const bits = [...id].map((byte) => byte.toString(2).padStart(8, "0")).join("");
      const name = bits.padEnd(100, "0").replace(/.{5}/g, (five) => CROCKFORD[Number.parseInt(five, 2)] as string);
      assert.equal(objectName(id), name);
      assert.ok(isObjectName(name));
    }
  });

  test("other names are nobody's", () => {
    for (const name of [
      "",
      "repo",
      "1CECHNKREP0F1RSTCMT",
      "1CECHNKREP0F1RSTCMT00",
      "1CECHNKREP0F1RSTCMI0",
      "../CHNKREP0F1RSTCMT0",
    ])
      assert.ok(!isObjectName(name), name);
  });
});

describe("what an Icechunk repository's files say", { skip: missingPython() }, () => {
  test("its snapshots, branches and tags are those that Python sees", async () => {
    const seen = await inPython<{ main: [string, string][]; branches: Record<string, string>; tags: Record<string, string> }>(
      `repo = open_repo(sys.argv[1])
tips = [s.id for s in repo.ancestry(branch="main")]
repo.create_branch("a branch é", tips[1])
repo.create_tag("tag/1", tips[2])
print(json.dumps(dict(main=[(s.id, s.message) for s in repo.ancestry(branch="main")],
  branches={b: repo.lookup_branch(b) for b in repo.list_branches()}, tags={t: repo.lookup_tag(t) for t in repo.list_tags()})))`,
      folder,
    );
    const info = await readRepositoryInfo(await bytesOf("repo"), "repo");
    const idAt = (at: number): string => info.snapshots[at]?.id as string;
    assert.deepEqual(
      [...ancestryIn(info, info.branches.get("main") as number)].map(({ id, message }) => [id, message]),
      seen.main,
    );
    assert.deepEqual(Object.fromEntries([...info.branches].map(([name, at]) => [name, idAt(at)])), seen.branches);
    assert.deepEqual(Object.fromEntries([...info.tags].map(([name, at]) => [name, idAt(at)])), seen.tags);
    assert.equal(seen.main.length, 4);
  });

  test("the manifests of every snapshot are those that Python lists", async () => {
    const listed = await inPython<Record<string, string[]>>(
      `repo = open_repo(sys.argv[1])
print(json.dumps({s.id: sorted(m.id for m in repo.list_manifest_files(s.id)) for s in repo.ancestry(branch="main")}))`,
      folder,
    );
    assert.deepEqual(Object.keys(listed).sort(), (await namesIn("snapshots")).sort());
    for (const [id, manifests] of Object.entries(listed))
      assert.deepEqual([...(await manifestsOfSnapshot(await bytesOf("snapshots", id), id))].sort(), manifests);
  });

  test("the native chunks of all manifests are the files that are there, and as many as Python counts in each", async () => {
    const counted = await inPython<Record<string, number>>(
      `repo = open_repo(sys.argv[1])
ids = {m.id for s in repo.ancestry(branch="main") for m in repo.list_manifest_files(s.id)}
print(json.dumps({id: repo.inspect_manifest(id)["total_native"] for id in ids}))`,
      folder,
    );
    const chunks = new Map<string, string[]>();
    for (const id of await namesIn("manifests")) chunks.set(id, await chunksOfManifest(await bytesOf("manifests", id), id));
    assert.deepEqual(Object.fromEntries([...chunks].map(([id, names]) => [id, names.length])), counted);
    assert.deepEqual([...new Set([...chunks.values()].flat())].sort(), (await namesIn("chunks")).sort());
    assert.ok(Object.values(counted).includes(0) && Object.values(counted).some((count) => count > 5), JSON.stringify(counted));
  });
});

describe("files that are not what they should be", () => {
  const parsers = async (): Promise<
    (readonly [name: string, bytes: Buffer, parse: (bytes: Uint8Array) => Promise<unknown>])[]
  > => [
    ["repo", await bytesOf("repo"), (bytes) => readRepositoryInfo(bytes, "repo")],
    ...(await Promise.all(
      (
        await namesIn("snapshots")
      )
        .slice(0, 2)
        .map(async (id) => [id, await bytesOf("snapshots", id), (bytes: Uint8Array) => manifestsOfSnapshot(bytes, id)] as const),
    )),
    ...(await Promise.all(
      (
        await namesIn("manifests")
      )
        .slice(0, 3)
        .map(async (id) => [id, await bytesOf("manifests", id), (bytes: Uint8Array) => chunksOfManifest(bytes, id)] as const),
    )),
  ];

  test("cut off anywhere, they are corrupt by name", async () => {
    for (const [name, bytes, parse] of await parsers())
      for (const length of [0, 1, 12, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 1, bytes.length - 1])
        await assert.rejects(
          parse(bytes.subarray(0, length)),
          (error) => isCorrupt(error) && error instanceof FreshetError && error.message.includes(name),
        );
  });

  test("another version of the format, another type and another compression are refused", async () => {
    for (const [, bytes, parse] of await parsers()) {
      await assert.rejects(parse(Buffer.from(bytes).fill(3, 36, 37)), isUnsupported);
      await assert.rejects(parse(Buffer.from(bytes).fill(5, 37, 38)), isCorrupt);
      await assert.rejects(parse(Buffer.from(bytes).fill(2, 38, 39)), isUnsupported);
      await assert.rejects(parse(Buffer.from(bytes).fill(0, 0, 1)), isCorrupt);
    }
  });

  test("with any word of the message changed, they are read or refused, and nothing else happens", async () => {
    let read = 0;
    let refused = 0;
    for (const [, bytes, parse] of await parsers()) {
      const message = zstdDecompressSync(bytes.subarray(HEADER_BYTES));
      const step = 4 * Math.max(1, Math.floor(message.length / 4 / 150));
      for (let at = 0; at + 4 <= message.length; at += step) {
        for (const word of [0xffffffff, 0x7fffffff, 0x80000000, message.length, 1]) {
          const broken = Buffer.from(message);
          broken.writeUInt32LE(word, at);
          const file = Buffer.concat([bytes.subarray(0, HEADER_BYTES), broken]);
          file[HEADER_BYTES - 1] = 0;
          await parse(file).then(
            () => read++,
            (error: unknown) => {
              assert.ok(isFreshetError(error, "corrupt", "unsupported"), String(error));
              refused++;
            },
          );
        }
      }
    }
    assert.ok(refused > 100 && read > 100, `${read} read, ${refused} refused`);
  });

  test("a reference of a kind that does not exist yet is refused: it may need files that are not seen", async () => {
    assert.deepEqual(await chunksOfManifest(manifestOf([{ chunk: 7 }, { chunk: 9 }]), "made"), [
      objectName(new Uint8Array(12).fill(7)),
      objectName(new Uint8Array(12).fill(9)),
    ]);
    await assert.rejects(chunksOfManifest(manifestOf([{ chunk: 7 }, {}]), "made"), isUnsupported);
  });

  test("a message that unpacks to more than any manifest is refused before it is there", async () => {
    const header = manifestOf([]).subarray(0, HEADER_BYTES);
    const bomb = Buffer.concat([header, zstdCompressSync(Buffer.alloc(300 * 1024 * 1024))]);
    await assert.rejects(chunksOfManifest(bomb, "bomb"), isCorrupt);
  });
});

/** A manifest as the library of the format itself would build it; a reference without a chunk is of no kind at all. */
function manifestOf(references: readonly { readonly chunk?: number }[]): Buffer {
  const builder = new Builder(256);
  const offsets = references.map(({ chunk }) => {
    builder.startVector(4, 1, 4);
    builder.addInt32(0);
    const index = builder.endVector();
    builder.startObject(10);
    builder.addFieldOffset(0, index, 0);
    if (chunk !== undefined) {
      builder.prep(1, 12);
      for (let byte = 0; byte < 12; byte++) builder.writeInt8(chunk);
      builder.addFieldStruct(4, builder.offset(), 0);
    }
    return builder.endObject();
  });
  builder.startVector(4, offsets.length, 4);
  for (const offset of offsets.reverse()) builder.addOffset(offset);
  const vector = builder.endVector();
  builder.startObject(3);
  builder.addFieldOffset(1, vector, 0);
  const array = builder.endObject();
  builder.startVector(4, 1, 4);
  builder.addOffset(array);
  const arrays = builder.endVector();
  builder.startObject(5);
  builder.addFieldOffset(1, arrays, 0);
  builder.finish(builder.endObject());
  const header = Buffer.concat([Buffer.from("ICE🧊CHUNK"), Buffer.alloc(24, " "), Buffer.from([2, 2, 0])]);
  return Buffer.concat([header, builder.asUint8Array()]);
}
