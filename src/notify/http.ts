import { createHmac } from "node:crypto";
import type { Notification } from "../contract/index.ts";
import type { NotifyChannel } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import { secrets } from "../secrets/index.ts";
import { post } from "./post.ts";

const GITHUB = "https://api.github.com";

/**
 * POSTs the CloudEvent (HTTP protocol binding 1.0.2, structured mode), with a bearer token, or signed as GitHub signs its calls:
 * `X-Hub-Signature-256: sha256=…`, the HMAC of the body.
 */
export async function sendToWebhook(
  { url, token, hmac }: NotifyChannel & { kind: "webhook" },
  body: string,
  signal: AbortSignal,
): Promise<void> {
  const headers: Record<string, string> = { "content-type": "application/cloudevents+json" };
  if (token !== undefined) headers.authorization = `Bearer ${await secrets.textOf(token)}`;
  if (hmac !== undefined)
    headers["x-hub-signature-256"] = `sha256=${createHmac("sha256", await secrets.textOf(hmac))
      .update(body)
      .digest("hex")}`;
  await post(await address(url), body, { headers, shown: url, signal });
}

/** Fires a repository dispatch event: the workflows of the repository that wait for it run. Its payload may have ten members. */
export async function sendToGithub(
  { repository, event, token, endpoint }: NotifyChannel & { kind: "github" },
  { id, kind, dataset, subject, atMs, data }: Notification,
  signal: AbortSignal,
): Promise<void> {
  const url = await address(`${endpoint ?? GITHUB}/repos/${repository}/dispatches`);
  const payload = { id, kind, dataset, subject, time: new Date(atMs).toISOString(), data };
  await post(url, JSON.stringify({ event_type: event, client_payload: payload }), {
    headers: {
      accept: "application/vnd.github+json",
      "x-github-api-version": "2022-11-28",
      authorization: `Bearer ${await secrets.textOf(token)}`,
    },
    shown: `github ${repository}`,
    signal,
  });
}

async function address(text: string): Promise<URL> {
  const url = await secrets.textOf(text);
  if (/^https?:\/\/[^/@]+/.test(url) && URL.canParse(url)) return new URL(url);
  throw new FreshetError("usage", "the address to notify is none", {
    found: "a text that is not shown",
    expected: "https://…",
    path: text,
    remedy: "Correct the secret",
  });
}
