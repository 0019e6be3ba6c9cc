import { hexOfBase64 } from "./base64-hash.ts";
import type { Told } from "./envelope.ts";

type Checksum = NonNullable<Told["checksum"]>;

/**
 * A `sum` of v02: a letter, a comma, a value in hexadecimal. Only `d` (md5) and `s` (sha512) are hashes of the bytes; `a`
 * (arbitrary), `n` (md5 of the name), `z` (to be computed by who downloads), `0` (random) promise nothing of them.
 */
export function checksumOfSum(sum: string): Checksum | undefined {
  const [letter, value = ""] = sum.split(",");
  if (letter === "d" && /^[0-9a-f]{32}$/i.test(value)) return { algorithm: "md5", value: value.toLowerCase() };
  if (letter === "s" && /^[0-9a-f]{128}$/i.test(value)) return { algorithm: "sha512", value: value.toLowerCase() };
  return undefined;
}

/** An `identity` of v03: a method and its value in base64. Other methods than md5 and sha512 are no hashes of the bytes. */
export function checksumOfIdentity(identity: { method: string; value?: unknown }): Checksum | undefined {
  const { method, value } = identity;
  if ((method !== "md5" && method !== "sha512") || typeof value !== "string") return undefined;
  const hex = hexOfBase64(value, method === "md5" ? 16 : 64);
  return hex === undefined ? undefined : { algorithm: method, value: hex };
}
