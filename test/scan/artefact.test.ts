import assert from "node:assert/strict";
import { randomFillSync } from "node:crypto";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isFreshetError } from "../../src/errors/index.ts";
import { readScan, type Scan, scan, withSamples, writeScan } from "../../src/scan/index.ts";
import { openFileReader } from "../../src/storage/index.ts";
import { numeric } from "../../src/virtual/index.ts";
import { aGroup, anArray, codec, inline, range, text } from "./virtual-arrays.ts";

function aScan(facts: Partial<Scan> = {}): Scan {
  return {
    uri: "https://example.org/ä.nc",
    identity: { etag: '"x"', lastModifiedMs: 1_700_000_000_000, size: 2 ** 40 },
    format: "hdf5",
    root: aGroup(),
    outcomes: [],
    requests: 3,
    bytesRead: 12345,
    roundTrips: 2,
    ...facts,
  };
}

const roundTrip = (stored: Scan): Scan => readScan(writeScan(stored));

describe("a stored scan comes back as it was", () => {
  test("attributes with their types: NaN, -0, infinities, 64 bits, lists of one, empty lists, any text", () => {
    const attributes = {
      nan: { type: "float32", scalar: true, value: [Number.NaN] },
      special: {
        type: "float64",
        scalar: false,
        value: [-0, 0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 5e-324, 1e300],
      },
      big: { type: "int64", scalar: false, value: [-(2n ** 63n), 2n ** 63n - 1n] },
      unsigned: { type: "uint64", scalar: true, value: [2n ** 64n - 1n] },
      list: { type: "int8", scalar: false, value: [1] },
      none: { type: "int8", scalar: false, value: [] },
      flag: { type: "bool", scalar: true, value: [1] },
      pair: { type: "complex64", scalar: true, value: [1, -0] },
      texts: { type: "texts", value: ["a", "", "\u0000 \ud800 €"] },
      text: text("line\nline"),
    } as const;
    const stored = aScan({ root: aGroup([anArray({ attributes })], { attributes }) });
    assert.deepEqual(roundTrip(stored), stored);
  });

  test("fill values of every kind", () => {
    const fills = [
      null,
      true,
      1.5,
      Number.NaN,
      -0,
      Number.NEGATIVE_INFINITY,
      -(2n ** 63n),
      "",
      "text",
      Uint8Array.of(0, 255),
      [1, -0] as const,
    ];
    const arrays = fills.map((fillValue, index) => anArray({ name: `v${index}`, fillValue }));
    const restored = roundTrip(aScan({ root: aGroup(arrays) })).root;
    assert.deepEqual(
      [...restored.arrays.values()].map((array) => array.fillValue),
      fills,
    );
    assert.ok(Object.is(restored.arrays.get("v4")?.fillValue, -0));
  });

  test("chunks: ranges over several files, offsets beyond 2^32, missing and inlined ones, scalars, empty arrays", () => {
    const far = 2 ** 53 - 1000;
    const arrays = [
      anArray({
        name: "mixed",
        shape: [6],
        chunkShape: [1],
        chunks: [range("a", 0, 10), undefined, inline(Uint8Array.of(1, 2)), range("b", far, 7), range("a", 5, 0), undefined],
      }),
      anArray({ name: "scalar", chunks: [range("b", 100, 8)] }),
      anArray({ name: "empty", shape: [0, 3], chunkShape: [1, 3] }),
      anArray({ name: "inline", shape: [3], chunks: [inline(Uint8Array.of(9, 8, 7))] }),
      anArray({ name: "nothing", shape: [2, 2], chunkShape: [1, 2] }),
    ];
    const stored = aScan({ root: aGroup(arrays) });
    assert.deepEqual(roundTrip(stored), stored);
  });

  test("what another decoder said; a scan that nobody was asked about is stored as it was before", () => {
    const samples = {
      by: "another 1.0",
      taken: [{ path: "/v", index: [0, 2], extent: [1, 5], sha256: "00".repeat(32), isUnwritten: true }],
      loaded: ["/time"],
      passedOver: [{ path: "/t", reason: "text" }],
      requests: 2,
      bytesRead: 300,
    };
    const stored = withSamples(aScan({ root: aGroup([anArray()]) }), samples);
    assert.deepEqual(roundTrip(stored), stored);
    const { samples: none, ...silent } = stored;
    assert.deepEqual(none, samples);
    assert.deepEqual(roundTrip(silent), silent);
    assert.ok(!("samples" in roundTrip(silent)));
  });

  test("types, codecs, unnamed dimensions, nested groups, outcomes, what is not known of the source", () => {
    const struct = {
      kind: "struct",
      size: 12,
      fields: [{ name: "a", offset: 4, type: numeric("float32"), endian: "big", shape: [2] }],
    } as const;
    const inner = aGroup(
      [
        anArray({
          name: "__proto__",
          dataType: struct,
          shape: [2],
          dimensionNames: [null],
          codecs: [codec("bytes", { endian: "big" }), codec("numcodecs.zlib", { level: 4 })],
        }),
      ],
      { name: "inner" },
    );
    const outcomes = [
      { path: "/outer/inner/x", outcome: "referenced", reason: "" },
      { path: "/y", outcome: "refused", reason: "no" },
    ] as const;
    const stored = aScan({
      root: aGroup([], { groups: [aGroup([], { name: "outer", groups: [inner] })] }),
      outcomes,
      identity: { size: 1 },
    });
    assert.deepEqual(roundTrip(stored), stored);
  });

  for (const file of [
    "netcdf3/madis-sao.nc",
    "netcdf4/air.nc",
    "netcdf4/S6A_P4_2__HR_RED__NR_014_191_20210403T004056_20210403T005056_F00.nc",
  ]) {
    test(`${file}, and as the same bytes each time`, async () => {
      const reader = await openFileReader(fileURLToPath(new URL(`../data/${file}`, import.meta.url)));
      const stored = await scan(reader);
      await reader.close();
      const bytes = writeScan(stored);
      assert.deepEqual(readScan(bytes), stored);
      assert.deepEqual(writeScan(readScan(bytes)), bytes);
    });
  }
});

test("100 000 references take less than 1 MB and come back as they were", () => {
  const count = 100_000;
  const noise = new Uint16Array(randomFillSync(new Uint8Array(2 * count)).buffer);
  let offset = 4096;
  const chunks = Array.from({ length: count }, (_, cell) => {
    const chunk = range("https://example.org/granule.nc", offset, 100_000 + (noise[cell] as number));
    offset += 100_000 + (noise[cell] as number) + (cell % 64 === 0 ? 2096 : 0);
    return chunk;
  });
  const stored = aScan({ root: aGroup([anArray({ shape: [count], chunkShape: [1], chunks })]) });
  const bytes = writeScan(stored);
  assert.ok(bytes.length < 1_000_000, `${bytes.length} bytes`);
  assert.deepEqual(readScan(bytes), stored);
});

describe("bytes that are no scan of ours are corrupt", () => {
  const bytes = writeScan(
    aScan({ root: aGroup([anArray({ shape: [2], chunkShape: [1], chunks: [range("a", 1, 2), inline(Uint8Array.of(1))] })]) }),
  );
  const changed = (change: (copy: Buffer) => void): Uint8Array => {
    const copy = Buffer.from(bytes);
    change(copy);
    return new Uint8Array(copy);
  };
  const cases: readonly (readonly [what: string, bytes: Uint8Array, message: RegExp])[] = [
    ["nothing", new Uint8Array(0), /^no stored scan/],
    ["another magic", changed((copy) => copy.write("FRSCAN\n\n")), /^no stored scan/],
    ["another version", changed((copy) => copy.writeUInt32LE(2, 8)), /^a stored scan of another version: found 2, expected 1$/],
    [
      "a size beyond the limit",
      changed((copy) => copy.writeBigUInt64LE(2n ** 40n, 16)),
      /^a stored scan is too large: found 1099511627776 bytes/,
    ],
    ["a smaller size than it grows to", changed((copy) => copy.writeBigUInt64LE(8n, 16)), /^a stored scan cannot be read/],
    [
      "a larger size than it has",
      changed((copy) => copy.writeBigUInt64LE(copy.readBigUInt64LE(16) + 8n, 16)),
      /^a stored scan is cut off/,
    ],
    ["a wrong header length", changed((copy) => copy.writeUInt32LE(5, 12)), /^a stored scan cannot be read/],
    ["a cut off frame", bytes.slice(0, bytes.length - 9), /^a stored scan cannot be read/],
    ["a damaged frame", changed((copy) => copy.fill(0x5a, 30, 60)), /^a stored scan cannot be read/],
  ];
  for (const [what, broken, message] of cases) {
    test(what, () => {
      assert.throws(
        () => readScan(broken),
        (error) => isFreshetError(error, "corrupt") && message.test(error.message),
      );
    });
  }
});
