import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { FreshetError } from "../../errors/index.ts";
import { secrets } from "../../secrets/index.ts";

/** What a request must prove, where one of them is set: to know the token, or to have signed the body. One of them is enough. */
export interface Secrets {
  /** `Authorization: Bearer TOKEN`. */
  readonly token?: string | undefined;
  /** `X-Hub-Signature-256: sha256=…`, the HMAC of the raw body under this secret, in hexadecimal, as GitHub signs its calls. */
  readonly hmac?: string | undefined;
}

/** @throws FreshetError `usage` for a secret without a character, which everybody knows. */
export function checkSecrets({ token, hmac }: Secrets): void {
  if (token !== "" && hmac !== "") return;
  throw new FreshetError("usage", "the webhook's secret is empty", {
    found: `${token === "" ? "a token" : "an HMAC secret"} without a character`,
    remedy: "Set FRESHET_WEBHOOK_TOKEN or FRESHET_WEBHOOK_HMAC to a secret, or leave them unset",
  });
}

/** The secrets as they are now, where a text is a reference such as `${file:/run/secrets/hook}`. @throws FreshetError `usage`, `unreachable`. */
export async function currentSecrets({ token, hmac }: Secrets): Promise<Secrets> {
  return {
    token: token === undefined ? undefined : await secrets.textOf(token),
    hmac: hmac === undefined ? undefined : await secrets.textOf(hmac),
  };
}

/** What can be said before the body is read: `body` means that its signature decides. */
export function accessByHeaders(headers: IncomingHttpHeaders, { token, hmac }: Secrets): "granted" | "refused" | "body" {
  if (token === undefined && hmac === undefined) return "granted";
  if (token !== undefined && isEqual(headers.authorization ?? "", `Bearer ${token}`)) return "granted";
  return hmac !== undefined && headers["x-hub-signature-256"] !== undefined ? "body" : "refused";
}

/** Whether the header is the signature of exactly these bytes. */
export function isSignedBy(secret: string, body: Uint8Array, header: string | string[] | undefined): boolean {
  const expected = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
  return typeof header === "string" && isEqual(header.toLowerCase(), expected);
}

/** What a request that was refused is told. */
export function whatIsNeeded({ token, hmac, sns }: Secrets & { readonly sns?: object | undefined }): string {
  const needed = [
    token !== undefined && "a bearer token",
    hmac !== undefined && "a signature in X-Hub-Signature-256",
    sns !== undefined && "a signed message of SNS",
  ];
  return `${needed.filter((one) => one !== false).join(" or ")} is needed`;
}

function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
