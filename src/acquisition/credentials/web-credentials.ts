import type { Credentials, Source } from "../../dataset/index.ts";
import { FreshetError } from "../../errors/index.ts";
import { secrets } from "../../secrets/index.ts";
import type { HttpCredentials } from "../../storage/index.ts";
import { Cookies } from "./cookies.ts";
import { loginOf } from "./netrc.ts";

/** Where Earthdata's own servers redirect to for the bytes, by an address that is signed: nothing is told there. */
const SIGNED_HOSTS = /(^|\.)s3([.-][a-z0-9-]+)?\.amazonaws\.com$|\.cloudfront\.net$/;
const EARTHDATA_TOKEN = "$" + "{EARTHDATA_TOKEN}";

/**
 * What the servers of a source are told. A token goes to the source's own hosts only (those of `at` and `allow`, and where keys of S3 are given), a
 * login of Earthdata to the login's host only, cookies to the host that set them; all of it by https, or to this machine. An
 * address that is signed itself is told nothing.
 */
export class WebCredentials implements HttpCredentials {
  readonly #credentials: Credentials;
  readonly #hosts: ReadonlySet<string>;
  readonly #loginHost: string | undefined;
  readonly #cookies = new Cookies();

  constructor(credentials: Credentials, hosts: ReadonlySet<string>) {
    this.#credentials = credentials;
    this.#hosts = hosts;
    this.#loginHost = credentials.kind === "earthdata" ? new URL(credentials.login).host : undefined;
  }

  async headersFor(url: URL): Promise<Readonly<Record<string, string>>> {
    if (!isPrivate(url) || isSigned(url)) return {};
    const authorization = await this.#authorizationFor(url);
    const cookie = this.#cookies.headerFor(url);
    return { ...(authorization === undefined ? {} : { authorization }), ...(cookie === undefined ? {} : { cookie }) };
  }

  keep(url: URL, setCookie: readonly string[]): void {
    if (isPrivate(url) && (url.host === this.#loginHost || this.#hosts.has(url.host))) this.#cookies.keep(url, setCookie);
  }

  mayRedirectTo(url: URL): boolean {
    if (url.host === this.#loginHost || this.#hosts.has(url.host)) return true;
    return this.#credentials.kind === "earthdata" && SIGNED_HOSTS.test(url.hostname);
  }

  isLogin(url: URL): boolean {
    return url.host === this.#loginHost;
  }

  async #authorizationFor(url: URL): Promise<string | undefined> {
    const credentials = this.#credentials;
    if (url.host === this.#loginHost) return basic(await loginOf(url.hostname));
    if (!this.#hosts.has(url.host)) return undefined;
    switch (credentials.kind) {
      case "bearer":
        return `Bearer ${await secrets.textOf(credentials.token)}`;
      case "netrc":
        return basic(await loginOf(url.hostname));
      default: {
        const token = tokenOf(credentials);
        if (token !== undefined) return `Bearer ${await secrets.textOf(token)}`;
        if ((await loginOf(new URL(credentials.login).hostname)) !== undefined) return undefined;
        throw new FreshetError("usage", "there is no account of Earthdata", {
          found: "neither EARTHDATA_TOKEN nor a login in netrc",
          expected: `EARTHDATA_TOKEN, or machine ${new URL(credentials.login).hostname} in netrc`,
          remedy: "Set it in the environment of this process; a token is made at the login's site",
        });
      }
    }
  }
}

/** The secret's name that stands for the token; undefined where the login is used. */
export function tokenOf(credentials: Credentials): string | undefined {
  if (credentials.kind === "netrc") return undefined;
  if (credentials.token !== undefined) return credentials.token;
  return (process.env.EARTHDATA_TOKEN ?? "") === "" ? undefined : EARTHDATA_TOKEN;
}

/** Hosts, with their ports, that a source's bytes are on. */
export function hostsOf({ at, allow }: Pick<Source, "at" | "allow">): Set<string> {
  return new Set([at, ...allow].filter((prefix) => /^https?:/.test(prefix)).map((prefix) => new URL(prefix).host));
}

function basic(login: Awaited<ReturnType<typeof loginOf>>): string | undefined {
  if (login === undefined) return undefined;
  return `Basic ${Buffer.from(`${login.user}:${login.password}`).toString("base64")}`;
}

/** Nobody on the way reads it. */
function isPrivate({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || hostname === "127.0.0.1" || hostname === "localhost" || hostname === "[::1]";
}

/** Who is told a signature and a token refuses both. */
function isSigned({ searchParams }: URL): boolean {
  return [...searchParams.keys()].some((name) => /^(x-amz-signature|signature)$/i.test(name));
}
