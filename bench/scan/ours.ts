// `node bench/scan/ours.ts REPEAT PLACE…`: scans each place REPEAT times in this warm process; prints a line of JSON for each.
import { scan } from "../../src/scan/index.ts";
import { openReader, type RangeReader } from "../../src/storage/index.ts";

const [repeat = "5", ...places] = process.argv.slice(2);

async function scanOnce(place: string) {
  const reader = await openReader(place);
  try {
    return await scan(reader, { load: [] });
  } finally {
    await reader.close();
  }
}

/** Bytes of the source that the parser looks at, each once: read without blocks, so that nothing beside them is counted. */
async function metadataBytes(place: string): Promise<number> {
  const reader = await openReader(place);
  const ranges: [from: number, to: number][] = [];
  const watched: RangeReader = {
    uri: reader.uri,
    size: reader.size,
    identity: reader.identity,
    read: (offset, length, signal) => {
      ranges.push([offset, offset + length]);
      return reader.read(offset, length, signal);
    },
    close: () => reader.close(),
  };
  await scan(watched, { load: [], plan: { blockBytes: 64, firstBytes: 64, gapBytes: 0, aheadBytes: 0, wholeBytes: 0 } });
  await reader.close();
  let bytes = 0;
  let end = 0;
  for (const [from, to] of ranges.sort((a, b) => a[0] - b[0])) {
    bytes += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return bytes;
}

/** The most CPU time that this thread takes from one turn of the event loop to the next: what other processes do is not in it. */
async function longestStretchMs(place: string): Promise<number> {
  let longest = 0;
  let last = process.threadCpuUsage();
  let isOver = false;
  const turn = (): void => {
    const now = process.threadCpuUsage(last);
    last = process.threadCpuUsage();
    longest = Math.max(longest, now.user + now.system);
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await scanOnce(place);
  isOver = true;
  return Math.round(longest / 100) / 10;
}

for (const place of places) {
  const isLocal = !place.startsWith("http");
  await scanOnce(place);
  const best = { wall: Number.POSITIVE_INFINITY, cpu: Number.POSITIVE_INFINITY };
  let last: Awaited<ReturnType<typeof scanOnce>> | undefined;
  for (let run = 0; run < Number(repeat); run++) {
    const cpu = process.cpuUsage();
    const started = performance.now();
    last = await scanOnce(place);
    best.wall = Math.min(best.wall, (performance.now() - started) / 1000);
    const used = process.cpuUsage(cpu);
    best.cpu = Math.min(best.cpu, (used.user + used.system) / 1e6);
  }
  const { requests, roundTrips, bytesRead } = last ?? { requests: 0, roundTrips: 0, bytesRead: 0 };
  console.log(
    JSON.stringify({
      place,
      who: "freshet",
      ...best,
      requests,
      roundTrips,
      bytesRead,
      ...(isLocal ? { metadataBytes: await metadataBytes(place), longestBlockMs: await longestStretchMs(place) } : {}),
      peakMb: Math.round(process.resourceUsage().maxRSS / 1024),
    }),
  );
}
process.exit(0);
