import { FreshetError } from "../errors/index.ts";
import { get, type HttpAnswer, type HttpRequestOptions, shownUrl } from "./http-request.ts";
import { requireSuccess } from "./http-status.ts";
import { retriedRead } from "./retried-read.ts";

/** Of an error's own words. */
const ERROR_BYTES = 16 * 1024;
const ERROR_CHARACTERS = 200;

export interface JsonAnswer {
  readonly value: unknown;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/**
 * What a service answers in JSON, of at most `limit` bytes. Asked again as reads are (429 and 5xx, as long as the service says).
 * @throws FreshetError as reading a file of the server; where a service that refuses says why (`{"errors": […]}`), in its words; `malformed`
 *   for what is no JSON, of which the beginning is shown unless it `isSecret`.
 */
export async function getJson(
  url: URL,
  { limit, isSecret = false, ...options }: HttpRequestOptions & { readonly limit: number; readonly isSecret?: boolean },
): Promise<JsonAnswer> {
  return retriedRead(
    async () => {
      const answer = await get(url, { accept: "application/json" }, options);
      if (answer.status === 400 || answer.status === 422) throw await refusal(answer, url);
      requireSuccess(answer, url);
      const text = new TextDecoder().decode(await answer.readBody(limit));
      try {
        return { value: JSON.parse(text) as unknown, headers: answer.headers };
      } catch (cause) {
        throw new FreshetError("malformed", "the service's answer is no JSON", {
          found: isSecret ? "a text that is not shown" : JSON.stringify(text.slice(0, 80)),
          uri: shownUrl(url),
          ...(isSecret ? {} : { cause }),
        });
      }
    },
    undefined,
    options.signal,
  );
}

/** Whoever asked wrongly is told so by the service better than by a status. */
async function refusal(answer: HttpAnswer, url: URL): Promise<FreshetError> {
  const words = await answer.readBody(ERROR_BYTES).then(
    (body) => errorsIn(new TextDecoder().decode(body)),
    () => undefined,
  );
  return new FreshetError("source-refused", "the service refuses the question", {
    found: words ?? `status ${answer.status}`,
    uri: shownUrl(url),
  });
}

function errorsIn(text: string): string | undefined {
  try {
    const { errors } = JSON.parse(text) as { readonly errors?: unknown };
    return Array.isArray(errors) ? errors.map(String).join("; ").slice(0, ERROR_CHARACTERS) : undefined;
  } catch {
    return undefined;
  }
}
