/** Of one host, and of one cookie: more is no login. */
const MOST_COOKIES = 50;
const MOST_CHARACTERS = 8_192;

/** Cookies by host. Each is sent back to the very host that set it, and nowhere else, whatever domain it names. */
export class Cookies {
  readonly #byHost = new Map<string, Map<string, string>>();

  keep({ host }: URL, setCookie: readonly string[]): void {
    const cookies = this.#byHost.get(host) ?? new Map<string, string>();
    for (const line of setCookie) {
      const [pair = "", ...attributes] = line.split(";");
      const [, name, value] = /^\s*([^=\s]+)=(.*?)\s*$/.exec(pair) ?? [];
      if (name === undefined || value === undefined || pair.length > MOST_CHARACTERS) continue;
      if (attributes.some(isOver)) cookies.delete(name);
      else if (cookies.has(name) || cookies.size < MOST_COOKIES) cookies.set(name, value);
    }
    if (cookies.size > 0) this.#byHost.set(host, cookies);
  }

  /** The header for a host; undefined where there is none. */
  headerFor({ host }: URL): string | undefined {
    const cookies = [...(this.#byHost.get(host) ?? [])];
    return cookies.length === 0 ? undefined : cookies.map(([name, value]) => `${name}=${value}`).join("; ");
  }
}

/** How servers take a cookie back. */
function isOver(attribute: string): boolean {
  const [, name = "", value = ""] = /^\s*([^=]+)=(.*)$/.exec(attribute) ?? [];
  if (/^max-age$/i.test(name)) return Number(value) <= 0;
  return /^expires$/i.test(name) && Date.parse(value) < Date.now();
}
