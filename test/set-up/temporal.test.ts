import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { SetUpFailure, describe as tell } from "../../set-up/failure.mjs";
import { fetchBytes } from "../../set-up/fetch-bytes.mjs";
import { ensureTemporal } from "../../set-up/temporal.mjs";
import { downloadTemporal } from "../../set-up/temporal-download.mjs";

const limits = { connectMs: 300, stallMs: 300, wholeMs: 2_000, bytes: 10_000 };

describe("set-up's Temporal", () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freshet set-up "));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function fakeCli(name: string, version: string): Promise<string> {
    await mkdir(join(folder, name), { recursive: true });
    const path = join(folder, name, "temporal");
    await writeFile(path, `#!/bin/sh\necho "temporal version ${version} (Server 1.29.1, UI 2.42.1)"\n`);
    await chmod(path, 0o755);
    return path;
  }

  test("is the server that TEMPORAL_ADDRESS names, before everything else", async () => {
    const env = { TEMPORAL_ADDRESS: "temporal.example:7233", TEMPORAL_CLI_PATH: "/nowhere" };
    assert.deepEqual(await ensureTemporal(env), { kind: "address", address: "temporal.example:7233" });
  });

  test("is the CLI that TEMPORAL_CLI_PATH names, if it is recent enough", async () => {
    const path = await fakeCli("recent", "1.6.0");
    assert.deepEqual(await ensureTemporal({ TEMPORAL_CLI_PATH: path }), { kind: "cli", path, version: "1.6.0" });
    await assert.rejects(ensureTemporal({ TEMPORAL_CLI_PATH: join(folder, "none") }), {
      tried: [`${folder}/none: there is no such file`],
    });
    await assert.rejects(ensureTemporal({ TEMPORAL_CLI_PATH: await fakeCli("old", "1.4.1") }), (error) => {
      assert.ok(error instanceof SetUpFailure);
      assert.match(tell(error), /1\.5 or newer[\s\S]*it is version 1\.4\.1[\s\S]*what to do/);
      return true;
    });
  });

  test("is the CLI in PATH, if it is recent enough, else the one in the cache", async () => {
    const recent = await fakeCli("recent", "1.6.0");
    const old = await fakeCli("old", "1.4.1");
    const cached = await fakeCli("cache/temporal-1.5.1", "1.5.1");
    const FRESHET_CACHE = join(folder, "cache");
    assert.deepEqual(await ensureTemporal({ PATH: join(recent, ".."), FRESHET_CACHE }), {
      kind: "cli",
      path: recent,
      version: "1.6.0",
    });
    assert.deepEqual(await ensureTemporal({ PATH: join(old, ".."), FRESHET_CACHE }), {
      kind: "cli",
      path: cached,
      version: "1.5.1",
    });
  });

  test("says everything that was tried when there is none", async () => {
    const env = { PATH: join(folder, "empty"), FRESHET_CACHE: join(folder, "no cache"), FRESHET_NO_DOWNLOADS: "1" };
    await assert.rejects(ensureTemporal(env), (error) => {
      assert.ok(error instanceof SetUpFailure);
      const text = tell(error);
      for (const part of ["TEMPORAL_ADDRESS", "temporal in PATH", "the cache", "FRESHET_NO_DOWNLOADS=1", "Go is not installed"]) {
        assert.ok(text.includes(part), `${part} in:\n${text}`);
      }
      return true;
    });
  });

  test("is downloaded only with the right checksum", async () => {
    const archive = gzipSync(tarOf("temporal", "#!/bin/sh\n"));
    const sha256 = createHash("sha256").update(archive).digest("hex");
    const platform = `${process.platform}-${process.arch}`;
    await serving(
      (_, response) => response.end(archive),
      async (base) => {
        const target = { version: "1.5.1", folder: join(folder, "downloaded"), env: {} };
        const wrong = await downloadTemporal(target, { base, checksums: { [platform]: "0".repeat(64) }, limits });
        assert.match(wrong ?? "", new RegExp(`found sha256 ${sha256}, expected 0000`));
        const unknown = await downloadTemporal(target, { base, checksums: {}, limits });
        assert.match(unknown ?? "", /no checksum is known/);
        assert.equal(
          await downloadTemporal(
            { ...target, env: { FRESHET_NO_DOWNLOADS: "1" } },
            { base, checksums: { [platform]: sha256 }, limits },
          ),
          "the official download: switched off by FRESHET_NO_DOWNLOADS=1",
        );
        assert.deepEqual(
          (await readdir(folder)).filter((name) => name.startsWith("downloaded")),
          [],
        );
        assert.equal(await downloadTemporal(target, { base, checksums: { [platform]: sha256 }, limits }), undefined);
        assert.deepEqual(await readdir(join(folder, "downloaded")), ["temporal"]);
      },
    );
  });
});

describe("a download in set-up", () => {
  test("gives up on a server that takes connections and does not answer", async () => {
    const server = createTcpServer(() => undefined);
    await listening(server, async (port) => {
      await assert.rejects(fetchBytes(`https://127.0.0.1:${port}/`, limits), /no answer within 0\.3 s/);
    });
  });

  test("gives up on silence, on size, and on an error, and follows redirects", async () => {
    const answers: RequestListener = (request, response) => {
      if (request.url === "/silent") response.write("some");
      else if (request.url === "/large") response.end("x".repeat(20_000));
      else if (request.url === "/missing") response.writeHead(404).end();
      else if (request.url === "/moved") response.writeHead(302, { location: "/here" }).end();
      else if (request.url === "/round") response.writeHead(302, { location: "/round" }).end();
      else response.end("here");
    };
    await serving(answers, async (base) => {
      await assert.rejects(fetchBytes(`${base}/silent`, limits), /silence for 0\.3 s/);
      await assert.rejects(fetchBytes(`${base}/large`, limits), /larger than 10000 bytes/);
      await assert.rejects(fetchBytes(`${base}/missing`, limits), /HTTP 404/);
      await assert.rejects(fetchBytes(`${base}/round`, limits), /more than 5 redirects/);
      assert.equal((await fetchBytes(`${base}/moved`, limits)).toString(), "here");
    });
  });
});

async function serving(answer: RequestListener, use: (base: string) => Promise<void>): Promise<void> {
  const server = createHttpServer(answer);
  await listening(server, (port) => use(`http://127.0.0.1:${port}`));
}

async function listening(server: Server, use: (port: number) => Promise<void>): Promise<void> {
  const sockets = new Set<{ destroy(): unknown }>();
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** A tar archive of one file, in the ustar format. */
function tarOf(name: string, content: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write("0000755\0", 100);
  header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("        ", 148);
  header.write("0", 156);
  header.write("ustar\u000000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, Buffer.from(content.padEnd(512, "\0")), Buffer.alloc(1024)]);
}
