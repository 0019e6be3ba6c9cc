import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { bytesCodec } from "../../../src/codecs/index.ts";
import { arrayMetadata, groupMetadata, type StoreChange } from "../../../src/writers/icechunk/index.ts";
import { changesJson, type WrittenReferences } from "../../../src/writers/kerchunk-json/index.ts";

const SOURCE = { size: 800 };

/** References by the hundred, each hundred to a file of its own. */
async function* references(count: number): AsyncGenerator<StoreChange> {
  const metadata = arrayMetadata({
    shape: [count],
    chunkShape: [1],
    dimensionNames: ["time"],
    dataType: { kind: "number", name: "int64" },
    codecs: [bytesCodec("little")],
    fillValue: -(2n ** 63n),
    attributes: new Map([
      ["scale_factor", { type: "float64", scalar: true, value: [1] }],
      ["_FillValue", { type: "int64", scalar: true, value: [-(2n ** 63n)] }],
    ]),
  });
  for (let from = 0; from < count; from += 100) {
    const virtual = Array.from({ length: 100 }, (_, at) => ({
      index: [from + at],
      uri: `https://data.example.org/a/rather/long/prefix/${from}.nc`,
      offset: at * 1000,
      length: 999,
      source: SOURCE,
    }));
    const groups = [{ path: "/", metadata: groupMetadata(new Map()) }];
    yield { groups, arrays: [{ path: "/v", metadata, virtual, native: [], erase: [], patch: undefined }] };
  }
}

test("a document keeps every digit, and holds what was changed", async () => {
  const written: WrittenReferences = { references: 0, inlined: 0, refused: new Map() };
  const pieces: string[] = [];
  for await (const piece of changesJson(references(200), written)) pieces.push(piece);
  const { refs } = JSON.parse(pieces.join("")) as { refs: Record<string, unknown> };
  assert.equal(written.references, 200);
  assert.deepEqual(refs["v/199"], ["https://data.example.org/a/rather/long/prefix/100.nc", 99_000, 999]);
  assert.match(refs["v/.zarray"] as string, /"fill_value":-9223372036854775808,/);
  assert.equal(refs["v/.zattrs"], '{"scale_factor":1.0,"_FillValue":-9223372036854775808,"_ARRAY_DIMENSIONS":["time"]}');
});

test("the memory that it takes does not grow with the references", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const most = async (count: number): Promise<number> => {
    let bytes = 0;
    let pieces = 0;
    let highest = 0;
    for await (const piece of changesJson(references(count), { references: 0, inlined: 0, refused: new Map() })) {
      bytes += piece.length;
      if (pieces++ % 20 !== 0) continue;
      collect();
      highest = Math.max(highest, process.memoryUsage().heapUsed);
    }
    assert.ok(bytes > count * 60);
    return highest;
  };
  const few = await most(10_000);
  const many = await most(100_000);
  assert.ok(many - few < 3_000_000, `${few} bytes of heap with 10 000 references, ${many} with 100 000`);
});
