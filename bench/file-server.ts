// `file-server.ts FOLDER [hang]`: the files of a folder over HTTP by ranges, in a process of its own; prints its port. `hang`: every file seems to have 100 MiB, of which the
// first comes and then nothing.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";

const [folder = "", mode = ""] = process.argv.slice(2);
const HANGING_BYTES = 100 * 2 ** 20;

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = join(folder, basename(request.url ?? ""));
  const { size, mtime } = mode === "hang" ? { size: HANGING_BYTES, mtime: new Date(0) } : await stat(path);
  const [, from = "0", to = ""] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  const end = Math.min(to === "" ? size - 1 : Number(to), size - 1);
  const headers = { etag: `"${size}"`, "last-modified": mtime.toUTCString(), "content-length": end - Number(from) + 1 };
  const isRange = request.headers.range !== undefined;
  response.writeHead(isRange ? 206 : 200, {
    ...headers,
    ...(isRange ? { "content-range": `bytes ${from}-${end}/${size}` } : {}),
  });
  if (mode !== "hang") createReadStream(path, { start: Number(from), end, highWaterMark: 2 ** 20 }).pipe(response);
  else if (Number(from) === 0) response.end(Buffer.alloc(end + 1));
  else response.write("x");
}

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy());
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
