import { type ErrorKind, FreshetError } from "../errors/index.ts";
import { type HttpAnswer, shownUrl } from "./http-request.ts";

/** @throws FreshetError by the status, for everything that does not bring the bytes as they are stored. */
export function requireSuccess(answer: HttpAnswer, source: URL): void {
  const encoding = answer.headers["content-encoding"] ?? "identity";
  if ((answer.status === 200 || answer.status === 206) && encoding === "identity") return;
  answer.discard();
  const uri = shownUrl(source);
  if (answer.status === 200 || answer.status === 206)
    throw new FreshetError("unsupported", "the server compresses the file on its way: byte ranges would not hold", {
      found: `content-encoding ${encoding}`,
      expected: "none",
      uri,
    });
  const { kind, summary } = meaningOf(answer.status);
  throw new FreshetError(kind, summary, {
    found: `status ${answer.status}`,
    status: answer.status,
    uri,
    retryAfterMs: kind === "source-unavailable" ? retryAfterMs(answer.headers["retry-after"], Date.now()) : undefined,
    remedy: kind === "source-refused" ? "Check the credentials and what they allow" : undefined,
  });
}

function meaningOf(status: number): { readonly kind: ErrorKind; readonly summary: string } {
  switch (status) {
    case 401:
      return { kind: "source-refused", summary: "the server wants to know who is asking" };
    case 403:
      return { kind: "source-refused", summary: "the server refuses the file" };
    case 404:
    case 410:
      return { kind: "source-missing", summary: "there is no such file" };
    case 408:
    case 425:
      return { kind: "source-unavailable", summary: "the server asks to try again" };
    case 416:
      return { kind: "source-changed", summary: "the server no longer has these bytes" };
    case 429:
      return { kind: "source-unavailable", summary: "the server is asked too often" };
    default:
      return status >= 500
        ? { kind: "source-unavailable", summary: "the server failed" }
        : { kind: "source-refused", summary: "the server does not give the file" };
  }
}

/** Retry-After (RFC 9110, 10.2.3), seconds or a date, as milliseconds from `nowMs`; undefined if absent or unreadable. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
