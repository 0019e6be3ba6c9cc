import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { DecoderThread } from "../../src/witness/index.ts";
import { netcdf3Bytes } from "../formats/netcdf3/netcdf3-bytes.ts";
import { memoryReader } from "../storage/memory-reader.ts";
import { data, withFile } from "./real-files.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "freshet-witness-"));
});
after(() => rm(folder, { recursive: true }));

const job = {
  format: "hdf5",
  size: 1000,
  wanted: [{ path: "/v", type: "int8", shape: [1], start: [0], extent: [1], mayHaveGaps: false, as: "hash" }],
} as const;
const nothing = async (): Promise<undefined> => undefined;

/** A thread that runs something else than decoders. */
async function threadOf(program: string, limits: { silenceMs?: number; jobMs?: number } = {}): Promise<DecoderThread> {
  const path = join(folder, `${program.length}.mjs`);
  await writeFile(
    path,
    `import { parentPort } from "node:worker_threads";\nconst say = (message) => parentPort.postMessage(message);\n${program}`,
  );
  return new DecoderThread({ program: pathToFileURL(path), ...limits });
}

describe("a decoder that fails is an answer", () => {
  const cases: readonly (readonly [
    what: string,
    program: string,
    limits: { silenceMs?: number; jobMs?: number },
    reason: string,
  ])[] = [
    ["it hangs", `parentPort.on("message", () => { for (;;); });`, { silenceMs: 200 }, "the decoder said nothing for 200 ms"],
    [
      "it asks for the same bytes for ever",
      `parentPort.on("message", () => setInterval(() => say({ kind: "read", offset: 0, length: 1 }), 5));`,
      { jobMs: 300 },
      "the decoder was not done within 300 ms",
    ],
    ["it throws", `parentPort.on("message", () => { throw new Error("a trap"); });`, {}, "the decoder failed: a trap"],
    ["it exits", `parentPort.on("message", () => process.exit(3));`, {}, "the decoder's thread ended"],
    ["it cannot be loaded", `import "./not-there.mjs";`, {}, "the decoder failed: Cannot find module"],
    [
      "it says that it is done, and has not answered",
      `parentPort.on("message", () => say({ kind: "done", heapBytes: 0, broken: false }));`,
      {},
      "the decoder gave no answer",
    ],
  ];
  for (const [what, program, limits, reason] of cases) {
    test(what, async () => {
      const thread = await threadOf(program, limits);
      // The second job has a new thread.
      for (let round = 0; round < 2; round++) {
        const [answer] = await thread.decode(job, nothing);
        assert.ok(answer?.kind === "unread" && answer.reason.startsWith(reason), JSON.stringify(answer));
      }
      await thread.end();
    });
  }

  test("what it has said before it hung counts", async () => {
    const program = `parentPort.on("message", () => { say({ kind: "answer", number: 0, answer: { kind: "hash", sha256: "00" } }); for (;;); });`;
    const thread = await threadOf(program, { silenceMs: 3_000 });
    const answers = await thread.decode({ ...job, wanted: [...job.wanted, ...job.wanted] }, nothing);
    assert.deepEqual(
      answers.map(({ kind }) => kind),
      ["hash", "unread"],
    );
    await thread.end();
  });

  test("a thread that calls itself broken is replaced", async () => {
    const program = `let jobs = 0; parentPort.on("message", () => { say({ kind: "answer", number: 0, answer: { kind: "hash", sha256: String(++jobs) } }); say({ kind: "done", heapBytes: 0, broken: true }); });`;
    const thread = await threadOf(program);
    for (let round = 0; round < 2; round++) assert.deepEqual(await thread.decode(job, nothing), [{ kind: "hash", sha256: "1" }]);
    await thread.end();
  });
});

describe("reading", () => {
  const path = data("netcdf4/air.nc");
  const wanted = [
    { path: "/lat", type: "float32", shape: [11], start: [0], extent: [11], mayHaveGaps: false, as: "elements" },
  ] as const;

  test("what reading throws is thrown, and the thread is as good as before", async () => {
    const thread = new DecoderThread();
    await withFile(path, async (reader) => {
      const airJob = { format: "hdf5", size: reader.size, wanted } as const;
      await assert.rejects(
        thread.decode(airJob, () => Promise.reject(new TypeError("gone"))),
        /^TypeError: gone$/,
      );
      const [refused] = await thread.decode(airJob, nothing);
      assert.ok(
        refused?.kind === "unread" && refused.reason.startsWith("libhdf5 does not open the file"),
        JSON.stringify(refused),
      );
      const [answer] = await thread.decode(airJob, (offset, length) => reader.read(offset, length));
      assert.ok(answer?.kind === "elements");
      assert.equal(new Float32Array(answer.elements.slice().buffer)[0], 75);
    });
    await thread.end();
  });

  test("is given up when the signal says so; the next job is answered", async () => {
    const thread = new DecoderThread();
    await withFile(path, async (reader) => {
      const airJob = { format: "hdf5", size: reader.size, wanted } as const;
      const stop = new AbortController();
      const asked = Promise.withResolvers<void>();
      const stuck = thread.decode(
        airJob,
        (_offset, _length, signal) =>
          new Promise((_, reject) => {
            signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
            asked.resolve();
          }),
        stop.signal,
      );
      await asked.promise;
      stop.abort(new Error("enough"));
      await assert.rejects(stuck, /^Error: enough$/);
      const [answer] = await thread.decode(airJob, (offset, length) => reader.read(offset, length));
      assert.equal(answer?.kind, "elements");
      await assert.rejects(thread.decode(airJob, nothing, stop.signal), /^Error: enough$/);
    });
    await thread.end();
  });

  test("asks for blocks, not for each few bytes", async () => {
    const thread = new DecoderThread();
    const requests: [number, number][] = [];
    await withFile(path, async (reader) => {
      await thread.decode({ format: "hdf5", size: reader.size, wanted }, (offset, length) => {
        requests.push([offset, length]);
        return reader.read(offset, length);
      });
      assert.ok(requests.length <= 2, JSON.stringify(requests));
      for (const [offset, length] of requests)
        assert.ok(offset % 65_536 === 0 && (length === 65_536 || offset + length === reader.size));
    });
    await thread.end();
  });
});

test("netcdfjs gives any block of a variable, of records and without", async () => {
  const values = Array.from({ length: 120 }, (_, at) => at * 31 - 1000);
  const { bytes } = netcdf3Bytes({
    records: 2,
    dimensions: [
      ["time", 0],
      ["z", 3],
      ["y", 4],
      ["x", 5],
      ["two", 2],
    ],
    variables: [
      { name: "fixed", type: "float64", dimensions: [4, 1, 2, 3], values },
      { name: "other", type: "int8", dimensions: [0], recordValues: [[1], [2]] },
      { name: "moving", type: "float64", dimensions: [0, 1, 2, 3], recordValues: [values.slice(0, 60), values.slice(60)] },
    ],
  });
  const reader = memoryReader(bytes);
  const thread = new DecoderThread();
  const shape = [2, 3, 4, 5];
  const blocks: readonly (readonly [start: readonly number[], extent: readonly number[]])[] = [
    [[0, 0, 0, 0], shape],
    [
      [1, 0, 0, 0],
      [1, 3, 4, 5],
    ],
    [
      [0, 1, 0, 0],
      [2, 2, 4, 5],
    ],
    [
      [0, 1, 2, 0],
      [2, 1, 2, 5],
    ],
    [
      [1, 2, 3, 4],
      [1, 1, 1, 1],
    ],
    [
      [0, 0, 1, 2],
      [2, 3, 2, 2],
    ],
  ];
  const wanted = ["/fixed", "/moving"].flatMap((path) =>
    blocks.map(
      ([start, extent]) => ({ path, type: "float64", shape, start, extent, mayHaveGaps: false, as: "elements" }) as const,
    ),
  );
  const answers = await thread.decode({ format: "netcdf3", size: reader.size, wanted }, (offset, length) =>
    reader.read(offset, length),
  );
  await thread.end();
  for (const [number, answer] of answers.entries()) {
    const [start, extent] = blocks[number % blocks.length] as (typeof blocks)[number];
    const isInside = (at: number): boolean => {
      const index = [Math.floor(at / 60), Math.floor(at / 20) % 3, Math.floor(at / 5) % 4, at % 5];
      return index.every(
        (place, axis) => place >= (start[axis] as number) && place < (start[axis] as number) + (extent[axis] as number),
      );
    };
    assert.ok(answer.kind === "elements", JSON.stringify(answer));
    assert.deepEqual(
      [...new Float64Array(answer.elements.slice().buffer)],
      values.filter((_, at) => isInside(at)),
      `${number}`,
    );
  }
});

test("a process that has taken samples ends by itself", { timeout: 120_000 }, async () => {
  const url = (path: string): string => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);
  const program = `
    import { scan } from ${url("scan/index.ts")};
    import { openFileReader } from ${url("storage/index.ts")};
    import { takeSamples } from ${url("witness/index.ts")};
    const reader = await openFileReader(${JSON.stringify(data("netcdf4/air.nc"))});
    const samples = await takeSamples(reader, await scan(reader));
    await reader.close();
    console.log(samples.taken.length);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.on("data", (chunk: Buffer) => {
    printed += chunk;
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  assert.deepEqual([code, printed], [0, "1\n"]);
});
