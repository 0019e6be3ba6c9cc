import { FreshetError } from "../errors/index.ts";

const ANSWER_MS = 30_000;

/**
 * Sends a JSON text by POST. Redirects are not followed: whoever answers elsewhere is not who was named.
 * @param shown what errors call the place.
 * @throws FreshetError `unreachable` when it may succeed later, `source-refused` when it will not.
 */
export async function post(
  url: URL,
  body: string,
  {
    headers,
    shown,
    signal,
  }: { readonly headers: Readonly<Record<string, string>>; readonly shown: string; readonly signal: AbortSignal },
): Promise<void> {
  const { request } = await import("undici");
  let status: number;
  try {
    const answer = await request(url, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": "freshet", ...headers },
      body,
      headersTimeout: ANSWER_MS,
      bodyTimeout: ANSWER_MS,
      signal,
    });
    status = answer.statusCode;
    answer.body.on("error", () => undefined);
    await answer.body.dump({ limit: 16 * 1024 }).catch(() => undefined);
  } catch (cause) {
    signal.throwIfAborted();
    // The library's own message may quote the address.
    const { code } = cause as { code?: string };
    throw new FreshetError("unreachable", "whoever is to be notified does not answer", {
      found: code ?? "no answer",
      uri: shown,
    });
  }
  if (status >= 200 && status < 300) return;
  const mayPass = status >= 500 || status === 408 || status === 425 || status === 429;
  throw new FreshetError(mayPass ? "unreachable" : "source-refused", "whoever is to be notified refuses it", {
    found: `status ${status}`,
    expected: "2xx",
    uri: shown,
    ...(mayPass ? {} : { remedy: "Correct the address or the secret under `notify` in the dataset file" }),
  });
}
