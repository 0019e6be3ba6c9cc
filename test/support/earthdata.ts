import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What one of the servers was asked: the way with its query, and what it was told. */
export interface Asked {
  readonly server: "login" | "archive" | "bytes";
  readonly url: string;
  readonly authorization: string | undefined;
  readonly cookie: string | undefined;
}

const LOGIN_PAGE = "<html><body><form>Earthdata Login</form></body></html>";

/**
 * An Earthdata for tests: the login (`localhost`), which redirects back with a code and sets a cookie; an archive (`127.0.0.1`), which wants a token or
 * its own cookie, sends everybody else to the login and those it knows to a signed address; and the server of the bytes, which refuses
 * whoever tells it more than the signature, as S3 does.
 */
export class TestEarthdata {
  readonly login: string;
  readonly archive: string;
  readonly bytes: string;
  readonly asked: Asked[] = [];
  readonly account = { user: "ada", password: "pass-of-ada" };
  /** The token that the archive takes. */
  token = "token-of-ada";
  /** What `s3credentials` gives. */
  keys: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
    readonly lifeMs: number;
  };
  /** Instead of it. */
  hostileKeys: string | undefined;
  readonly files = new Map<string, Buffer>();
  readonly #servers: readonly Server[];
  readonly #session = "session-of-ada";

  private constructor(servers: readonly [Server, Server, Server]) {
    this.#servers = servers;
    const [login, archive, bytes] = servers.map((server) => (server.address() as AddressInfo).port);
    this.login = `http://localhost:${login}/`;
    this.archive = `http://127.0.0.1:${archive}/`;
    this.bytes = `http://127.0.0.1:${bytes}/`;
    this.keys = {
      accessKeyId: "temporary",
      secretAccessKey: "secret-of-a-moment",
      sessionToken: "session-token",
      lifeMs: 3_600_000,
    };
    const names = ["login", "archive", "bytes"] as const;
    for (const [index, server] of servers.entries()) {
      server.on("request", (request: IncomingMessage, response: ServerResponse) => {
        const name = names[index] as (typeof names)[number];
        const { authorization, cookie } = request.headers;
        this.asked.push({ server: name, url: request.url ?? "", authorization, cookie });
        const url = new URL(request.url ?? "/", this[name]);
        if (name === "login") this.#answerLogin(url, request, response);
        else if (name === "archive") this.#answerArchive(url, request, response);
        else this.#answerBytes(url, request, response);
      });
    }
  }

  static async start(): Promise<TestEarthdata> {
    const listen = async (host: string): Promise<Server> => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, host, resolve));
      return server;
    };
    return new TestEarthdata([await listen("localhost"), await listen("127.0.0.1"), await listen("127.0.0.1")]);
  }

  async close(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
  }

  #answerLogin(url: URL, { headers }: IncomingMessage, response: ServerResponse): void {
    const { user, password } = this.account;
    const right = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    if (headers.authorization !== right) {
      response.writeHead(200, { "content-type": "text/html" }).end(LOGIN_PAGE);
      return;
    }
    const back = new URL(url.searchParams.get("redirect_uri") ?? "");
    back.searchParams.set("code", "a-code");
    back.searchParams.set("state", url.searchParams.get("state") ?? "");
    response.writeHead(302, { location: back.href, "set-cookie": "_urs=login-session; Path=/; HttpOnly" }).end();
  }

  #answerArchive(url: URL, { headers }: IncomingMessage, response: ServerResponse): void {
    if (url.pathname === "/login") {
      const isGood = url.searchParams.get("code") === "a-code";
      if (!isGood) {
        response.writeHead(401).end();
        return;
      }
      const location = url.searchParams.get("state") ?? "/";
      response
        .writeHead(302, { location, "set-cookie": [`accessToken=${this.#session}; Path=/; HttpOnly`, "other=1; Max-Age=0"] })
        .end();
      return;
    }
    const isKnown =
      headers.authorization === `Bearer ${this.token}` || (headers.cookie ?? "").includes(`accessToken=${this.#session}`);
    if (!isKnown) {
      const redirect = new URL("oauth/authorize", this.login);
      redirect.searchParams.set("redirect_uri", `${this.archive}login`);
      redirect.searchParams.set("state", url.pathname);
      response.writeHead(302, { location: redirect.href }).end();
      return;
    }
    if (url.pathname === "/s3credentials") {
      const { lifeMs, ...keys } = this.keys;
      const expiration = new Date(Date.now() + lifeMs)
        .toISOString()
        .replace("T", " ")
        .replace(/\.\d+Z$/, "+00:00");
      const body = this.hostileKeys ?? JSON.stringify({ ...keys, expiration });
      response.writeHead(200, { "content-type": "application/json" }).end(body);
      return;
    }
    response.writeHead(303, { location: `${this.bytes}${url.pathname.slice(1)}?X-Amz-Signature=signed&A-userid=ada` }).end();
  }

  #answerBytes(url: URL, { headers }: IncomingMessage, response: ServerResponse): void {
    const bytes = this.files.get(decodeURIComponent(url.pathname.slice(1)));
    if (headers.authorization !== undefined || headers.cookie !== undefined) response.writeHead(400).end();
    else if (url.searchParams.get("X-Amz-Signature") !== "signed") response.writeHead(403).end();
    else if (bytes === undefined) response.writeHead(404).end();
    else {
      const [, from = "0", to = ""] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "") ?? [];
      const end = to === "" ? bytes.length : Math.min(Number(to) + 1, bytes.length);
      response.writeHead(206, {
        "content-range": `bytes ${from}-${end - 1}/${bytes.length}`,
        etag: '"one"',
        "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT",
      });
      response.end(bytes.subarray(Number(from), end));
    }
  }
}
