import assert from "node:assert/strict";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { type ErrorKind, isFreshetError } from "../../src/errors/index.ts";
import { type ListedPage, listPage } from "../../src/storage/index.ts";

/** As the servers write them, shortened. */
const APACHE = `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN"><html><head><title>Index of /data</title></head><body><h1>Index of /data</h1>
<table><tr><th><a href="?C=N;O=D">Name</a></th><th><a href="?C=M;O=A">Last modified</a></th></tr>
<tr><td><a href="/">Parent Directory</a></td><td>&nbsp;</td><td align="right">  - </td></tr>
<tr><td><a href="20261120/">20261120/</a></td><td align="right">2026-11-20 23:59  </td><td align="right">  - </td></tr>
<tr><td><a href="a%20b%2b.nc">a b+.nc</a></td><td align="right">2026-11-21 03:04  </td><td align="right">1.2M</td></tr>
</table><address>Apache/2.4.57 Server</address></body></html>`;
const NGINX = `<html><head><title>Index of /data/</title></head><body><h1>Index of /data/</h1><hr><pre><a href="../">../</a>
<a href="20261120/">20261120/</a>                          20-Nov-2026 23:59                   -
<a href="long-name-of-a-granule.nc">long-name-of-a-gra..&gt;</a>        21-Nov-2026 03:04             1234567
</pre><hr></body></html>`;
const CADDY = `<!DOCTYPE html><html><body><a href=".."><span>..</span></a><tr class="file"><td></td><td><a href="./granule.nc"><svg/><span>granule.nc</span></a></td>
<td class="size" data-size="1234567">1.2 MiB</td><td class="timestamp hideable"><time datetime="2026-11-21T03:04:05Z">11/21/2026</time></td></tr></body></html>`;

let server: Server;
let origin = "";
let answer: RequestListener;
before(async () => {
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

function listing(html: string | Buffer, headers: Record<string, string> = {}, status = 200): Promise<ListedPage> {
  answer = (_request, response) =>
    response.writeHead(status, { "content-type": "text/html;charset=UTF-8", ...headers }).end(html);
  return listPage(`${origin}/data/`, undefined);
}

function refusedAs(kind: ErrorKind, message: RegExp) {
  return (error: unknown): boolean => isFreshetError(error, kind) && message.test(error.message);
}

const SHOWN = Date.UTC(2026, 10, 21, 3, 4);

describe("an index of a web server", () => {
  test("of Apache", async () => {
    const { files, folders } = await listing(APACHE);
    assert.deepEqual(files, [{ uri: `${origin}/data/a%20b%2b.nc`, shownMs: SHOWN }]);
    assert.deepEqual(folders, [`${origin}/data/20261120/`]);
  });

  test("of nginx", async () => {
    const { files, folders } = await listing(NGINX);
    assert.deepEqual(files, [{ uri: `${origin}/data/long-name-of-a-granule.nc`, shownMs: SHOWN }]);
    assert.deepEqual(folders, [`${origin}/data/20261120/`]);
  });

  test("of Caddy", async () => {
    const { files, folders } = await listing(CADDY);
    assert.deepEqual([files, folders], [[{ uri: `${origin}/data/granule.nc`, shownMs: SHOWN }], []]);
  });

  test("links elsewhere do not count", async () => {
    const elsewhere = [
      "../other.nc",
      "/other/x.nc",
      "..%2fx.nc",
      "a%2f..%2f..%2fx.nc",
      "https://example.org/data/x.nc",
      "//example.org/data/x.nc",
      "http://user@127.0.0.1/data/x.nc",
      "javascript:alert(1)",
      "file:///etc/passwd",
      "x.nc?version=1",
      ".hidden",
      "a//b.nc",
      "http://[",
      "",
      "#top",
      "\\..\\x",
    ];
    const html = [...elsewhere, "y.nc", "y.nc#part", "./y.nc", "/data/y.nc"].map((href) => `<a href="${href}">x</a>`).join("\n");
    const { files, folders, passedOver } = await listing(html);
    assert.deepEqual(
      files.map(({ uri }) => uri),
      [`${origin}/data/y.nc`],
    );
    assert.deepEqual([folders, passedOver], [[], elsewhere.length]);
  });

  test("that is none, or too large, is refused", async () => {
    await assert.rejects(
      listing("{}", { "content-type": "application/json" }),
      refusedAs("unsupported", /found application\/json, expected text\/html/),
    );
    await assert.rejects(listing("", {}, 404), refusedAs("source-missing", /404/));
    await assert.rejects(listing("", {}, 503), refusedAs("source-unavailable", /503/));
    await assert.rejects(listing("", {}, 403), refusedAs("source-refused", /403/));
    await assert.rejects(listing('<a href="x">'.repeat(100_001)), refusedAs("unsupported", /larger than is looked at/));
    const huge = Buffer.alloc(33 * 2 ** 20, " ");
    await assert.rejects(
      listing(huge, { "content-length": `${huge.length}` }),
      refusedAs("unsupported", /larger than is looked at/),
    );
    await assert.rejects(listing(huge), refusedAs("source-unavailable", /more than 33554432 bytes/));
  });
});
