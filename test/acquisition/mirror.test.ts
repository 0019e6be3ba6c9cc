import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, open, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { copyToMirror } from "../../src/acquisition/mirror.ts";
import { type PartialCopy, partialCopyOf } from "../../src/acquisition/partial-copy.ts";
import { FreshetError, isFreshetError } from "../../src/errors/index.ts";
import type { RangeReader } from "../../src/storage/index.ts";
import { memoryReader } from "../storage/memory-reader.ts";

const BYTES = Buffer.from("the bytes of a granule");
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "freshet-mirror-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

function copy(
  options: {
    reader?: RangeReader;
    key?: string;
    identity?: string;
    mirror?: string;
    signal?: AbortSignal;
    checksum?: string;
    onProgress?: (bytes: number) => void;
    earlier?: PartialCopy | undefined;
    onPart?: (part: PartialCopy) => void;
  } = {},
): Promise<string> {
  const { reader = memoryReader(BYTES), key = "20170605T120000Z", identity = 'etag:"1":22', mirror = root } = options;
  const checksum = options.checksum === undefined ? undefined : ({ algorithm: "sha256", value: options.checksum } as const);
  return copyToMirror(
    reader,
    { mirror: `${pathToFileURL(mirror).href}/`, dataset: "d", key, identity },
    {
      signal: options.signal ?? new AbortController().signal,
      onProgress: options.onProgress ?? (() => undefined),
      checksum,
      earlier: options.earlier,
      ...(options.onPart === undefined ? {} : { onPart: options.onPart }),
    },
  );
}

const copiesLeft = async (): Promise<string[]> => readdir(join(root, "d")).catch(() => []);
const partsLeft = async (): Promise<string[]> => readdir(join(root, ".parts"));

describe("our own copies", () => {
  test("hold the bytes, under the dataset, with a name that people recognise", async () => {
    const path = await copy();
    assert.deepEqual(await readFile(path), BYTES);
    assert.equal(dirname(path), join(root, "d"));
    assert.match(basename(path), /^[0-9a-f]{16}-20170605T120000Z$/);
    assert.deepEqual(await partsLeft(), []);
  });

  test("are made once: the second time nothing is read, and the time of change stays", async () => {
    const path = await copy();
    await utimes(path, 1_000_000_000, 1_000_000_000);
    const unread: RangeReader = { ...memoryReader(BYTES), read: () => Promise.reject(new Error("read")) };
    assert.equal(await copy({ reader: unread }), path);
    assert.equal((await stat(path)).mtimeMs, 1_000_000_000_000);
  });

  test("one that is not as long as the granule is made again", async () => {
    const path = await copy();
    await writeFile(path, "cut");
    assert.equal(await copy(), path);
    assert.deepEqual(await readFile(path), BYTES);
  });

  test("another revision of a granule is another file, and so is another granule of the same last name", async () => {
    const paths = await Promise.all([
      copy(),
      copy({ identity: 'etag:"2":22' }),
      copy({ key: "a/20170605T120000Z" }),
      copy({ key: "b/20170605T120000Z" }),
    ]);
    assert.equal(new Set(paths).size, 4);
  });

  test("no key leads out of the folder or makes a name that hurts", async () => {
    for (const key of ["../../etc/passwd", "..", ".", "", "/etc/passwd", "a\0b", "x".repeat(5_000), "-rf", "é\n海", "a\\..\\b"]) {
      const path = await copy({ key });
      assert.equal(dirname(path), join(root, "d"));
      assert.match(basename(path), /^[0-9a-f]{16}-[A-Za-z0-9._-]{0,120}$/);
      assert.deepEqual(await readFile(path), BYTES);
    }
  });

  test("one that is not what was announced never becomes a copy", async () => {
    await assert.rejects(
      copy({ checksum: sha256(Buffer.from("other")) }),
      (error) => isFreshetError(error, "source-changed") && error.message.includes(sha256(BYTES)),
    );
    assert.deepEqual(await copiesLeft(), []);
    assert.deepEqual(await partsLeft(), []);
    assert.deepEqual(await readFile(await copy({ checksum: sha256(BYTES).toUpperCase() })), BYTES);
  });

  test("a source that breaks off leaves nothing, and its error is told as it is", async () => {
    const broken: RangeReader = {
      ...memoryReader(BYTES),
      read: () => Promise.reject(new FreshetError("source-unavailable", "broke off")),
    };
    await assert.rejects(copy({ reader: broken }), (error) => isFreshetError(error, "source-unavailable"));
    assert.deepEqual(await copiesLeft(), []);
    assert.deepEqual(await partsLeft(), []);
  });

  test("a copy that is told to stop stops, and leaves nothing", async () => {
    const controller = new AbortController();
    controller.abort(new Error("told to stop"));
    await assert.rejects(copy({ signal: controller.signal }), /told to stop/);
    assert.deepEqual(await partsLeft(), []);
  });

  test("several at once of the same revision are one copy", async () => {
    const paths = await Promise.all(Array.from({ length: 5 }, () => copy()));
    assert.equal(new Set(paths).size, 1);
    assert.deepEqual(await readFile(paths[0] as string), BYTES);
    assert.equal((await readdir(join(root, "d"))).length, 1);
  });

  test("large ones come in parts, with progress, and are whole", async () => {
    const large = Buffer.alloc(9 * 1024 * 1024, "freshet");
    const told: number[] = [];
    const path = await copy({ reader: memoryReader(large), onProgress: (bytes) => told.push(bytes), checksum: sha256(large) });
    assert.ok((await readFile(path)).equals(large));
    assert.deepEqual(told, [4 * 1024 * 1024, 8 * 1024 * 1024, large.length]);
  });

  test("what a dead process left half copied is removed after a day, and not before", async () => {
    const parts = join(root, ".parts");
    await mkdir(parts, { recursive: true });
    await writeFile(join(parts, "old"), "x");
    await writeFile(join(parts, "young"), "x");
    const twoDaysAgo = Date.now() / 1000 - 2 * 86_400;
    await utimes(join(parts, "old"), twoDaysAgo, twoDaysAgo);
    await copy();
    assert.deepEqual(await partsLeft(), ["young"]);
  });

  test("a folder that cannot be written is a storage error with its name", {
    skip: process.getuid?.() === 0 && "root may write everywhere",
  }, async () => {
    await chmod(root, 0o500);
    try {
      await assert.rejects(copy(), (error) => isFreshetError(error, "storage") && error.message.includes(root));
    } finally {
      await chmod(root, 0o700);
    }
  });

  test("a mirror that is a file is a storage error with what to do", async () => {
    await writeFile(join(root, "file"), "x");
    await assert.rejects(
      copy({ mirror: join(root, "file") }),
      (error) => isFreshetError(error, "storage") && /could not be copied into the mirror.*disk has room/.test(error.message),
    );
  });
});

/** Breaks off after so many bytes, and counts those it gave. */
function breakingReader(bytes: Buffer, most: number, identity = { etag: '"1"', size: bytes.length }) {
  const given: [from: number, to: number][] = [];
  const reader: RangeReader = {
    ...memoryReader(bytes),
    identity,
    async *stream(offset) {
      let at = offset;
      for (; at < Math.min(bytes.length, offset + most); at += 65_536)
        yield bytes.subarray(at, Math.min(at + 65_536, bytes.length));
      given.push([offset, Math.min(at, bytes.length)]);
      if (at < bytes.length) throw new FreshetError("source-unavailable", "broke off");
    },
  };
  return { reader, given };
}

describe("a copy that breaks off", () => {
  const bytes = Buffer.from(Array.from({ length: 5 * 2 ** 20 }, (_, index) => (index ^ (index >> 9)) % 251));

  async function broken(most: number): Promise<PartialCopy> {
    let part: PartialCopy | undefined;
    await rm(join(root, "d"), { recursive: true, force: true });
    const { reader } = breakingReader(bytes, most);
    await assert.rejects(
      copy({
        reader,
        onPart: (told) => {
          part = told;
        },
      }),
      (error) => isFreshetError(error, "source-unavailable"),
    );
    assert.ok(part);
    // As it comes back from Temporal.
    return partialCopyOf(JSON.parse(JSON.stringify(part))) as PartialCopy;
  }

  test("is gone on with behind what is on the disk; all of it is checked, and nothing is left beside it", async () => {
    const earlier = await broken(3 * 2 ** 20);
    assert.equal(earlier.bytes, 3 * 2 ** 20);
    assert.deepEqual(await partsLeft(), [earlier.name]);
    const { reader, given } = breakingReader(bytes, bytes.length);
    const path = await copy({ reader, earlier, checksum: sha256(bytes) });
    assert.ok((await readFile(path)).equals(bytes));
    assert.deepEqual(given, [[3 * 2 ** 20, bytes.length]]);
    assert.deepEqual(await partsLeft(), []);
  });

  test("breaks off again further on, and each attempt leaves one part", async () => {
    const first = await broken(2 * 2 ** 20);
    const parts: PartialCopy[] = [];
    const { reader, given } = breakingReader(bytes, 2 * 2 ** 20);
    await assert.rejects(copy({ reader, earlier: first, onPart: (part) => parts.push(part) }), /broke off/);
    assert.deepEqual(given, [[2 * 2 ** 20, 4 * 2 ** 20]]);
    const [second] = parts;
    assert.equal(second?.bytes, 4 * 2 ** 20);
    assert.deepEqual(await partsLeft(), [second?.name]);
    const last = breakingReader(bytes, bytes.length);
    assert.ok((await readFile(await copy({ reader: last.reader, earlier: second }))).equals(bytes));
    assert.deepEqual(last.given, [[4 * 2 ** 20, bytes.length]]);
  });

  test("begins anew where the source has changed, where the part is gone or shorter than was said, and where nothing of the sort was said", async () => {
    const whole = async (earlier: PartialCopy | undefined, etag = '"1"'): Promise<void> => {
      await rm(join(root, "d"), { recursive: true, force: true });
      const { reader, given } = breakingReader(bytes, bytes.length, { etag, size: bytes.length });
      assert.ok((await readFile(await copy({ reader, earlier, checksum: sha256(bytes) }))).equals(bytes));
      assert.deepEqual(given, [[0, bytes.length]]);
    };
    await whole(await broken(3 * 2 ** 20), '"2"');
    await whole({ name: "00000000-0000-0000-0000-000000000000", bytes: 2 ** 20, identity: { etag: '"1"', size: bytes.length } });
    const cut = await broken(3 * 2 ** 20);
    await writeFile(join(root, ".parts", cut.name), bytes.subarray(0, 2 ** 20));
    await whole(cut);
    for (const told of [undefined, null, "starting", { name: "../../etc/passwd", bytes: 1, identity: {} }, { bytes: 4 }]) {
      assert.equal(partialCopyOf(told), undefined);
      await whole(partialCopyOf(told));
    }
  });

  test("whose part is damaged on the disk is found out by the checksum, and the attempt after begins anew", async () => {
    const earlier = await broken(3 * 2 ** 20);
    await writeFile(join(root, ".parts", earlier.name), Buffer.alloc(3 * 2 ** 20));
    const { reader } = breakingReader(bytes, bytes.length);
    await assert.rejects(copy({ reader, earlier, checksum: sha256(bytes) }), (error) => isFreshetError(error, "source-changed"));
    const again = breakingReader(bytes, bytes.length);
    assert.ok((await readFile(await copy({ reader: again.reader, earlier, checksum: sha256(bytes) }))).equals(bytes));
  });

  test("that an attempt which nobody waits for any more still writes to is not taken from it", async () => {
    const earlier = await broken(3 * 2 ** 20);
    const zombie = await open(join(root, ".parts", earlier.name), "r+");
    try {
      const { reader } = breakingReader(bytes, bytes.length);
      const path = await copy({ reader, earlier });
      const changed = (await stat(path)).mtimeMs;
      await zombie.write(Buffer.alloc(1000), 0, 1000, 0);
      assert.ok((await readFile(path)).equals(bytes));
      assert.equal((await stat(path)).mtimeMs, changed);
    } finally {
      await zombie.close();
    }
  });

  test("of less than a MiB is not kept", async () => {
    const { reader } = breakingReader(bytes, 2 ** 19);
    await assert.rejects(copy({ reader, onPart: () => assert.fail("nothing to keep") }), /broke off/);
    assert.deepEqual(await partsLeft(), []);
  });
});

const mayMount = process.platform === "linux" && process.getuid?.() === 0 && canMount();

function canMount(): boolean {
  const folder = execFileSync("mktemp", ["-d"], { encoding: "utf8" }).trim();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], { stdio: "ignore" });
    execFileSync("umount", [folder], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  } finally {
    execFileSync("rmdir", [folder]);
  }
}

test("a mirror without room: a storage error before anything is written", {
  skip: !mayMount && "needs a small tmpfs: Linux, root, and leave to mount",
}, async () => {
  const small = join(root, "small");
  await mkdir(small);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", small]);
  try {
    await assert.rejects(
      copy({ mirror: small }),
      (error) =>
        isFreshetError(error, "storage") && /no room.*found [01] MiB free, expected 65 MiB.*Free some space/.test(error.message),
    );
    assert.deepEqual(await readdir(join(small, ".parts")), []);
  } finally {
    execFileSync("umount", [small]);
  }
});
