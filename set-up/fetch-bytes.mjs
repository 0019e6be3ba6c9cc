import * as http from "node:http";
import * as https from "node:https";

const MAX_REDIRECTS = 5;

/**
 * The content at `url`, within limits that the built-in `fetch` does not offer.
 *
 * @param {string} url
 * @param {{ connectMs: number, stallMs: number, wholeMs: number, bytes: number }} limits `connectMs` holds for each connection, name
 *   look-up and TLS included; `stallMs` is the longest silence
 * @returns {Promise<Buffer>}
 */
export async function fetchBytes(url, limits) {
  const deadline = Date.now() + limits.wholeMs;
  let next = url;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const answer = await request(next, limits, deadline);
    if (answer.body) return answer.body;
    const target = new URL(answer.location, next);
    if (new URL(next).protocol === "https:" && target.protocol !== "https:")
      throw new Error(`refuses to leave https for ${target.origin}`);
    next = target.href;
  }
  throw new Error(`more than ${MAX_REDIRECTS} redirects`);
}

function request(url, { connectMs, stallMs, bytes }, deadline) {
  return new Promise((resolve, reject) => {
    const { get } = url.startsWith("https:") ? https : http;
    let connect;
    let whole;
    const settle = (finish) => (value) => {
      clearTimeout(connect);
      clearTimeout(whole);
      finish(value);
    };
    const done = settle(resolve);
    const fail = settle(reject);
    const outgoing = get(url, { agent: false, headers: { "user-agent": "freshet-set-up" } }, (response) => {
      clearTimeout(connect);
      const status = response.statusCode ?? 0;
      if (status >= 300 && status < 400 && response.headers.location) {
        outgoing.destroy();
        return done({ location: response.headers.location });
      }
      if (status !== 200) {
        outgoing.destroy();
        return fail(new Error(`HTTP ${status}`));
      }
      const parts = [];
      let size = 0;
      response.on("data", (part) => {
        size += part.length;
        parts.push(part);
        if (size <= bytes) return;
        fail(new Error(`larger than ${bytes} bytes`));
        outgoing.destroy();
      });
      response.on("error", fail);
      response.on("aborted", () => fail(new Error("the connection broke")));
      response.on("end", () => done({ body: Buffer.concat(parts) }));
    });
    connect = setTimeout(() => outgoing.destroy(new Error(`no answer within ${connectMs / 1000} s`)), connectMs);
    whole = setTimeout(() => outgoing.destroy(new Error("the whole limit is over")), Math.max(0, deadline - Date.now()));
    outgoing.setTimeout(stallMs, () => outgoing.destroy(new Error(`silence for ${stallMs / 1000} s`)));
    outgoing.on("error", fail);
  });
}
