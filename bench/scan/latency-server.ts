import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";

/** Serves the files of a folder on 127.0.0.1 by ranges, each answer after `latencyMs`. */
export async function serveWithLatency(folder: string, latencyMs: number): Promise<{ origin: string; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const path = join(folder, normalize(decodeURIComponent(new URL(request.url ?? "/", "http://host").pathname)));
    const facts = await stat(path).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, latencyMs));
    if (facts?.isFile() !== true) return response.writeHead(404).end();
    const [, from = "0", to = `${facts.size - 1}`] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    const start = Number(from);
    const end = Math.min(to === "" ? facts.size - 1 : Number(to), facts.size - 1);
    const isRange = request.headers.range !== undefined;
    response.writeHead(isRange ? 206 : 200, {
      etag: `"${facts.mtimeMs}-${facts.size}"`,
      "last-modified": facts.mtime.toUTCString(),
      "accept-ranges": "bytes",
      "content-length": end - start + 1,
      ...(isRange ? { "content-range": `bytes ${start}-${end}/${facts.size}` } : {}),
    });
    if (request.method === "HEAD") return response.end();
    return createReadStream(path, { start, end }).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
