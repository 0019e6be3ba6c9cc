import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { deflateSync } from "node:zlib";
import { isFreshetError } from "../../../src/errors/index.ts";
import { lookup3 } from "../../../src/formats/hdf5/checksum.ts";
import { scanHdf5 } from "../../../src/formats/hdf5/index.ts";
import { readBudget } from "../../../src/formats/hdf5/limits.ts";
import { withCounters } from "../../../src/storage/index.ts";
import { memoryReader } from "../../storage/memory-reader.ts";
import { mendChecksums, structuresIn } from "../fuzz/hdf5-structures.ts";
import {
  btreeNode,
  checked,
  chunked,
  contiguous,
  continuation,
  dataspace,
  datatype,
  type Entry,
  fields,
  group,
  hdf5,
  header,
  INT32,
  link,
  type Message,
  ROOT,
  UNDEFINED,
  u8,
  u16,
  u32,
  u64,
  VARIABLE_TEXT,
} from "./hdf5-bytes.ts";

const scanOf = (bytes: Uint8Array) => scanHdf5(memoryReader(bytes));
const GRANULE = new URL("../../data/netcdf4/20170602T0300Z-PT0012H-temperature_at_screen_level.nc", import.meta.url);
const AGAIN = ". Fetch the file again; if it stays so, the producer's copy is damaged";

/** A good variable, beside which a bad one is put. */
const GOOD = header(dataspace([2]), datatype(), contiguous(4000, 8));
const withGood = (bad: Uint8Array, more: Readonly<Record<number, Uint8Array>> = {}, size = 4096): Uint8Array =>
  hdf5({ good: 300, bad: 400 }, { 300: GOOD, 400: bad, ...more }, { size });

/** The one refusal of a file whose other variable, `good`, is not hurt by it. */
async function refusalIn(bytes: Uint8Array): Promise<string> {
  const { root, outcomes } = await scanOf(bytes);
  assert.deepEqual(root.arrays.get("good")?.manifest.at(0), { kind: "range", uri: "memory:test", offset: 4000, length: 8 });
  const refused = outcomes.filter((outcome) => outcome.outcome === "refused");
  assert.deepEqual(
    refused.map((outcome) => outcome.path),
    ["/bad"],
  );
  assert.equal(outcomes.length, 2);
  return refused[0]?.reason ?? "";
}

describe("a file without a readable beginning is refused with one sentence", () => {
  const empty = hdf5({}, {});
  const cases: readonly (readonly [
    what: string,
    bytes: () => Uint8Array | Promise<Uint8Array>,
    kind: string,
    message: string,
  ])[] = [
    [
      "an empty file",
      () => new Uint8Array(0),
      "unknown-format",
      "not an HDF5 file: it has no signature: found 0 bytes, expected 89 48 44 46 0d 0a 1a 0a at byte 0, 512, 1024, … (memory:test)",
    ],
    [
      "a wrong magic",
      () => Uint8Array.from(empty).fill(0x41, 0, 4),
      "unknown-format",
      "not an HDF5 file: it has no signature: found 41 41 41 41 0d 0a 1a 0a, expected 89 48 44 46 0d 0a 1a 0a at byte 0, 512, 1024, … (memory:test)",
    ],
    [
      "an unknown superblock",
      () => hdf5({}, {}, { version: 4 }),
      "unsupported",
      "the version of the superblock is unknown: found 4, expected 0 to 3 (memory:test, byte 8)",
    ],
    [
      "a superblock that was changed",
      () => Uint8Array.from(empty).fill(1, 12, 13),
      "malformed",
      "the checksum of the superblock is wrong: found 0x239972e5, expected 0x1f58df03 (memory:test, byte 44)",
    ],
    [
      "a superblock alone",
      () => empty.slice(0, 20),
      "truncated",
      `a structure ends too early: found 0 bytes, expected 8 more (memory:test, byte 20)${AGAIN}`,
    ],
    [
      "a file that is still being written",
      () => hdf5({}, {}, { version: 3, flags: 5 }),
      "malformed",
      "the file is marked as still being written (memory:test, byte 11). Fetch it again when its producer has closed it",
    ],
    [
      "a file that lacks its end",
      async () => (await readFile(GRANULE)).subarray(0, 900_000),
      "truncated",
      `the file is shorter than its superblock says: found 900000 bytes, expected 921270 bytes (memory:test)${AGAIN}`,
    ],
    [
      "a root that is no group",
      () => hdf5({}, { [ROOT]: header(datatype()) }),
      "malformed",
      "the root object is not a group (memory:test, byte 48)",
    ],
    [
      "a root header that continues in a circle",
      () => hdf5({}, { [ROOT]: header([0x10, fields(u64(200), u64(28))]), 200: continuation([0x10, fields(u64(200), u64(28))]) }),
      "malformed",
      "an object header continues in a circle: found block at 200 again (memory:test, byte 224)",
    ],
    [
      "a root header that continues behind the end",
      () => hdf5({}, { [ROOT]: header([0x10, fields(u64(5000), u64(28))]) }),
      "truncated",
      "an address leads beyond the end of the file: found 28 bytes at 5000, expected an end at or before 82 (memory:test)",
    ],
    [
      "a root header that was changed",
      () => {
        const bytes = hdf5({}, {});
        bytes[ROOT + 15] = 1;
        return bytes;
      },
      "malformed",
      "the checksum of the object header is wrong: found 0xc0d8564e, expected 0x7591d907 (memory:test, byte 80)",
    ],
    [
      "a message longer than its header",
      () => hdf5({}, { [ROOT]: checked("OHDR", u8(2, 0x02), u32(6), u8(2), u16(500), u8(0), u16(0)) }),
      "malformed",
      "a header message is longer than its block: found 500 bytes (memory:test, byte 62)",
    ],
  ];
  for (const [what, bytes, kind, message] of cases) {
    test(what, async () => {
      const given = new Uint8Array(await bytes());
      await assert.rejects(scanOf(given), (error: unknown) => {
        assert.ok(isFreshetError(error));
        assert.deepEqual([error.kind, error.message], [kind, message]);
        return true;
      });
    });
  }
});

describe("a bad variable is refused alone", () => {
  const oneChunk = (entry: Entry): Readonly<Record<number, Uint8Array>> => ({ 600: btreeNode(0, [entry]) });
  const inChunks = header(dataspace([4]), datatype(), chunked(600, [2, 4]));
  const text = header(dataspace([1]), datatype(VARIABLE_TEXT), contiguous(700, 16));
  const nested = (depth: number): Uint8Array => (depth === 0 ? INT32 : fields(u8(0x39, 0, 0, 0), u32(16), nested(depth - 1)));
  const cases: readonly (readonly [what: string, bytes: Uint8Array, reason: string])[] = [
    [
      "an object header that is none",
      withGood(u8(7)),
      "the version of the object header is unknown: found 7, expected 1, or 2 behind a signature (memory:test, byte 401)",
    ],
    [
      "an object behind the end",
      hdf5({ good: 300, bad: 9000 }, { 300: GOOD }, { size: 4096 }),
      "an address leads beyond the end of the file: found 16 bytes at 9000, expected an end at or before 4096 (memory:test)",
    ],
    ["an object that is nothing", withGood(header()), "an object is neither a group nor a dataset nor a type"],
    [
      "a dataset without layout",
      withGood(header(dataspace([2]), datatype())),
      "the dataset has no data layout (memory:test, byte 400)",
    ],
    [
      "an unknown layout",
      withGood(header(dataspace([2]), datatype(), [0x08, u8(9)])),
      "the version of the data layout is unknown: found 9, expected 1 to 5 (memory:test, byte 447)",
    ],
    [
      "an unknown class of type",
      withGood(header(dataspace([2]), datatype(fields(u8(0x1c, 0, 0, 0), u32(4))), contiguous(4000, 8))),
      "the class of a datatype is unknown: found 12, expected 0 to 11 (memory:test, byte 438)",
    ],
    [
      "types nested without end",
      withGood(header(dataspace([2]), datatype(nested(40)), contiguous(4000, 8))),
      "datatypes are nested too deep: found more than 32 (memory:test, byte 694)",
    ],
    [
      "a shape beyond all bounds",
      withGood(header(dataspace([2n ** 40n, 2n ** 40n]), datatype(), contiguous(4000, 8))),
      "a dataspace has too many elements: found 1099511627776 × 1099511627776 (memory:test, byte 434)",
    ],
    [
      "a length that no number holds",
      withGood(header(dataspace([2n ** 63n]), datatype(), contiguous(4000, 8))),
      "a 64-bit count is too large: found 9223372036854775808, expected at most 2^53 - 1 (memory:test, byte 418)",
    ],
    [
      "values behind the end",
      withGood(header(dataspace([100]), datatype(), contiguous(4000, 400))),
      "an address leads beyond the end of the file: found 400 bytes at 4000, expected an end at or before 4096 (memory:test)",
    ],
    [
      "fewer bytes than elements",
      withGood(header(dataspace([3]), datatype(), contiguous(4000, 8))),
      "fewer bytes are stored than the elements take: found 8 bytes, expected 12 bytes",
    ],
    [
      "a chunk of nothing",
      withGood(header(dataspace([4]), datatype(), chunked(600, [0, 4]))),
      "a chunk has no elements: found 0 × 4, expected sizes of at least 1 (memory:test, byte 465)",
    ],
    [
      "chunks of another rank",
      withGood(header(dataspace([4]), datatype(), chunked(600, [2, 2, 4]))),
      "the chunks do not fit the dataset: found chunks of 2 dimensions and 4-byte elements, expected 1 and 4",
    ],
    [
      "more chunks than memory",
      withGood(header(dataspace([2 ** 40]), datatype(), chunked(600, [1, 4]))),
      "too many chunks: found a grid of 1099511627776, expected at most 16777216 in one file (memory:test)",
    ],
    [
      "a chunk behind the end",
      withGood(inChunks, oneChunk([8, [0], 4090])),
      "an address leads beyond the end of the file: found 8 bytes at 4090, expected an end at or before 4096 (memory:test)",
    ],
    [
      "a chunk off the grid",
      withGood(inChunks, oneChunk([8, [1], 4000])),
      "a chunk does not begin on the chunk grid: found chunk index 0.5 (memory:test, byte 640)",
    ],
    [
      "a chunk of the wrong length",
      withGood(inChunks, oneChunk([6, [0], 4000])),
      "a chunk without filters has the wrong length: found 6 bytes, expected 8 bytes (memory:test, byte 4000)",
    ],
    [
      "two chunks in one place",
      withGood(inChunks, {
        600: btreeNode(0, [
          [8, [0], 4000],
          [8, [0], 4008],
        ]),
      }),
      "the keys of a B-tree are out of order: found 0,0 where a later one should be (memory:test, byte 680)",
    ],
    [
      "a B-tree that leads to itself",
      withGood(inChunks, { 600: btreeNode(1, [[8, [0], 600]]) }),
      "a B-tree node is at the wrong level: found 1, expected 0 (memory:test, byte 606)",
    ],
    [
      "a B-tree that names a child twice",
      withGood(inChunks, {
        600: btreeNode(1, [
          [8, [0], 800],
          [8, [2], 800],
        ]),
      }),
      "a B-tree node names a child twice (memory:test, byte 712)",
    ],
    [
      "a B-tree of groups",
      withGood(inChunks, { 600: fields("TREE", u8(0, 0), u16(0), UNDEFINED, UNDEFINED) }),
      "a B-tree node is of the wrong type: found 0, expected 1 (memory:test, byte 605)",
    ],
    [
      "a B-tree with too many entries",
      withGood(inChunks, { 600: btreeNode(0, [], 65) }),
      "a B-tree node has too many entries: found 65, expected at most 64 (memory:test, byte 608)",
    ],
    [
      "no B-tree",
      withGood(inChunks, { 600: fields("NOPE") }),
      'no B-tree node where one should be: found "NOPE", expected "TREE" (memory:test, byte 600)',
    ],
    [
      "text that points nowhere",
      withGood(text, { 700: fields(u32(3), u64(800), u32(1)), 800: fields("GCOL", u8(1, 0, 0, 0), u64(64)) }),
      "an element of variable length points to nothing: found no object 1 in the collection at 800, expected 3 bytes (memory:test, byte 16)",
    ],
    [
      "a heap collection beyond the end",
      withGood(text, { 700: fields(u32(3), u64(800), u32(1)), 800: fields("GCOL", u8(1, 0, 0, 0), u64(10 ** 9)) }),
      "an address leads beyond the end of the file: found 1000000000 bytes at 800, expected an end at or before 4096 (memory:test)",
    ],
    [
      "an attribute longer than its message",
      withGood(
        header(dataspace([2]), datatype(), contiguous(4000, 8), [
          0x0c,
          fields(u8(3, 0), u16(2), u16(INT32.length), u16(12), u8(0), "a\0", INT32, u8(2, 1, 0, 1), u64(1000)),
        ]),
      ),
      `a structure ends too early: found 0 bytes, expected 1000 more (memory:test, byte 503)${AGAIN}`,
    ],
    [
      "a filter that nobody knows",
      withGood(
        header(dataspace([4]), datatype(), chunked(600, [2, 4]), [
          0x0b,
          fields(u8(2, 1), u16(999), u16(4), u16(0), u16(0), "mine"),
        ]),
        oneChunk([8, [0], 4000]),
      ),
      'the filter "mine" (999) has no Zarr codec that readers share',
    ],
    [
      "an unknown message that must be understood",
      withGood(header([0x77, u8(0), 0x80])),
      "a header message of unknown type that must be understood: found type 119 (memory:test, byte 415)",
    ],
  ];
  for (const [what, bytes, reason] of cases) {
    test(what, async () => assert.equal(await refusalIn(bytes), reason));
  }

  test("a name with a slash in it does not lead to another place", async () => {
    const { outcomes, root } = await scanOf(hdf5({ "../../etc": 300 }, { 300: GOOD }, { size: 4096 }));
    assert.deepEqual([...root.arrays], []);
    assert.deepEqual(outcomes, [{ path: "/../../etc", outcome: "refused", reason: "the name of a link is impossible" }]);
  });

  test("links of one name are refused: nobody can say which is meant", async () => {
    const twice = header([0x02, fields(u8(0, 0), UNDEFINED, UNDEFINED)], [0x06, link("v", 300)], [0x06, link("v", 400)]);
    const { outcomes, root } = await scanOf(hdf5({ group: 600 }, { 300: GOOD, 400: GOOD, 600: twice }, { size: 4096 }));
    assert.deepEqual(outcomes, [{ path: "/group/v", outcome: "refused", reason: "2 links of its group have this name" }]);
    assert.equal(root.groups.get("group")?.arrays.size, 0);
  });

  test("compressed text that grows without end is stopped", async () => {
    const bomb = deflateSync(new Uint8Array(2_000_000));
    const filters: Message = [0x0b, fields(u8(2, 1), u16(1), u16(0), u16(1), u32(9))];
    const bad = header(dataspace([1]), datatype(VARIABLE_TEXT), chunked(600, [1, 16]), filters);
    const bytes = withGood(bad, { 600: btreeNode(0, [[bomb.length, [0], 5000]]), 5000: bomb }, 60_000);
    assert.match(await refusalIn(bytes), /^a chunk is larger than its elements: found \d+ bytes, expected 1041 bytes$/);
  });
});

describe("an array of chunks that disagrees with its dataset", () => {
  /** The file with eight bytes of every structure of this kind changed, its checksums right again. */
  async function changed(signature: string, at: number, value: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(await readFile(new URL("../../data/hdf5/h5fc_ext_none.h5", import.meta.url)));
    const structures = structuresIn(bytes);
    for (const start of structures) {
      if (Buffer.from(bytes.subarray(start, start + 4)).toString("latin1") === signature) bytes.set(u64(value), start + at);
    }
    mendChecksums(bytes, structures);
    return bytes;
  }

  test("of extensible length has no element beyond those that it counts as set", async () => {
    const { root } = await scanOf(await changed("EAHD", 44, 1));
    assert.deepEqual(root.arrays.get("DSET_EA")?.manifest.counts().ranges, 1);
  });

  test("of fixed length is refused when it is longer or shorter", async () => {
    const { outcomes } = await scanOf(await changed("FAHD", 8, 7));
    const { reason = "" } = outcomes.find(({ path }) => path === "/DSET_FA") ?? {};
    assert.match(reason, /^a fixed array has another length than its dataset has chunks: found 7, expected \d+ /);
  });
});

describe("a file that leads in circles", () => {
  test("of groups is walked once", async () => {
    const bytes = hdf5({ a: 300, root: ROOT }, { 300: group({ up: ROOT, self: 300, v: 400 }), 400: GOOD }, { size: 4096 });
    const { root, outcomes } = await scanOf(bytes);
    assert.deepEqual(outcomes, [{ path: "/a/v", outcome: "referenced", reason: "" }]);
    assert.deepEqual([...root.groups.keys()], ["a"]);
    assert.equal(root.groups.get("a")?.groups.size, 0);
  });

  test("of hard links has each variable once", async () => {
    const { outcomes } = await scanOf(hdf5({ x: 300, y: 300 }, { 300: GOOD }, { size: 4096 }));
    assert.deepEqual(
      outcomes.map((outcome) => outcome.path),
      ["/x"],
    );
  });

  test("of very deep groups ends at a limit", async () => {
    const structures: Record<number, Uint8Array> = {};
    for (let depth = 0; depth < 300; depth++) structures[1000 + 100 * depth] = group({ g: 1000 + 100 * (depth + 1) });
    const { outcomes } = await scanOf(hdf5({ g: 1000 }, structures));
    assert.deepEqual(outcomes, [{ path: "/g".repeat(257), outcome: "refused", reason: "groups nested deeper than 256" }]);
  });

  test("of B-tree nodes that share their children ends at the read budget", async () => {
    const structures: Record<number, Uint8Array> = { 600: fields("HEAP", u8(0, 0, 0, 0), u64(8), UNDEFINED, u64(640)) };
    const at = (level: number, index: number): number => 10_000 + (level * 32 + index) * 600;
    for (let level = 0; level < 6; level++) {
      const children = Array.from({ length: level === 0 ? 0 : 32 }, (_, child) => fields(u64(0), u64(at(level - 1, child))));
      const node = fields("TREE", u8(0, level), u16(children.length), UNDEFINED, UNDEFINED, ...children, u64(0));
      for (let index = 0; index < 32; index++) structures[at(level, index)] = node;
    }
    const bad = header([0x11, fields(u64(at(5, 0)), u64(600))]);
    const reader = withCounters(memoryReader(hdf5({ bad: 400 }, { 400: bad, ...structures })));
    const { outcomes } = await scanHdf5(reader);
    assert.match(
      outcomes[0]?.reason ?? "",
      /^the file's structures lead in circles: the scan has read it more than 16 times over/,
    );
    assert.ok(reader.bytes <= readBudget(reader.size), `${reader.bytes} bytes`);
  });

  test("of chunks does not get far: nodes that share children cannot have their keys in order", async () => {
    const structures: Record<number, Uint8Array> = {};
    const at = (level: number, index: number): number => 10_000 + (level * 64 + index) * 2100;
    for (let level = 0; level < 6; level++) {
      const entries = Array.from(
        { length: 64 },
        (_, child): Entry => [8, [2 * child], level === 0 ? 9000 : at(level - 1, child)],
      );
      for (let index = 0; index < 64; index++) structures[at(level, index)] = btreeNode(level, entries);
    }
    const bad = header(dataspace([128]), datatype(), chunked(at(5, 0), [2, 4]));
    const reader = withCounters(memoryReader(hdf5({ bad: 400 }, { 400: bad, ...structures })));
    const { outcomes } = await scanHdf5(reader);
    assert.match(outcomes[0]?.reason ?? "", /^the keys of a B-tree are out of order: /);
    assert.ok(reader.bytes < 200_000, `${reader.bytes} bytes`);
  });
});

describe("bytes changed at random end in a result or in an error of the family", () => {
  const files = [
    "netcdf4/air.nc",
    "netcdf4/ref_groups.h5",
    "netcdf4/enum_variable.nc",
    "hdf5/btree_idx_1_6.h5",
    "hdf5/test_string_datasets_earliest.hdf5",
    "hdf5/h5repack_objs.h5",
    "hdf5/test_chunked_datasets_latest.hdf5",
    "hdf5/old_h5fc_ext1_i.h5",
  ];
  for (const name of files) {
    test(name, { timeout: 60_000 }, async () => {
      const original = new Uint8Array(await readFile(new URL(`../../data/${name}`, import.meta.url)));
      const random = generator(20241121);
      // Most of a file is values; most of its structures are in its first bytes.
      const reach = Math.min(original.length, 12_000);
      let changed = 0;
      const before = await told(original);
      for (let run = 0; run < 60; run++) {
        const bytes = Uint8Array.from(original);
        const flips = 1 + (random() % 3);
        for (let flip = 0; flip < flips; flip++) bytes[random() % reach] = random() & 0xff;
        if ((await told(bytes)) !== before) changed++;
      }
      assert.ok(changed > 3, `only ${changed} of 60 changes were noticed: the flips miss the structures`);
    });
  }
});

/** The outcomes, or the kind of error, as text. Anything but a FreshetError is thrown on. */
async function told(bytes: Uint8Array): Promise<string> {
  const reader = withCounters(memoryReader(bytes));
  try {
    return JSON.stringify((await scanHdf5(reader)).outcomes);
  } catch (error) {
    if (isFreshetError(error)) return error.message;
    throw error;
  } finally {
    assert.ok(reader.bytes <= readBudget(bytes.length), `${reader.bytes} bytes read`);
  }
}

/** xorshift32: the same numbers on every machine. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

test("lookup3 is Bob Jenkins' hashlittle", () => {
  const ofText = (text: string): number => lookup3(new TextEncoder().encode(text), 0, text.length);
  assert.equal(ofText(""), 0xdeadbeef);
  assert.equal(ofText("Four score and seven years ago"), 0x17770551);
});

test("a version 2 B-tree that says that it is empty, and is not, is no array of missing chunks", async () => {
  const bytes = new Uint8Array(await readFile(new URL("../../data/hdf5/btreev2.hdf5", import.meta.url)));
  const structures = structuresIn(bytes);
  const at = Buffer.from(bytes.buffer).indexOf("BTHD");
  // Signature 4, version, type, node size 4, record size 2, depth 2, percentages 2, root 8, records in the root 2: the total.
  bytes.fill(0, at + 26, at + 34);
  mendChecksums(bytes, structures);
  const { outcomes } = await scanOf(bytes);
  assert.match(JSON.stringify(outcomes), /a version 2 B-tree has another number of records than it says: found \d+, expected 0/);
});
