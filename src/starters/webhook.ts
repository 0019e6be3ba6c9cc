import { timingSafeEqual } from "node:crypto";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { z } from "zod";
import { FreshetError } from "../errors/index.ts";
import { reached } from "../steps/index.ts";
import type { Announcer } from "./announcer.ts";

/** An announcement is a few hundred bytes. */
const BODY_BYTES = 64 * 1024;
const MAX_URI_CHARACTERS = 4_096;

const announcementSchema = z.strictObject({
  uri: z.string().min(1).max(MAX_URI_CHARACTERS),
  size: z.int().nonnegative().optional(),
  checksum: z
    .strictObject({ algorithm: z.enum(["md5", "sha256", "sha512"]), value: z.string().regex(/^[0-9a-fA-F]{32,128}$/) })
    .optional(),
});

export interface WebhookOptions {
  readonly announcer: Announcer;
  /** Default 127.0.0.1: open it to others only behind a token. */
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Where it is set, requests must carry `Authorization: Bearer TOKEN`. */
  readonly token?: string | undefined;
}

export interface RunningWebhook {
  /** Where announcements are posted to. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * `POST /announce` with `{"uri", "size"?, "checksum"?}`. 202 with the granules when Temporal holds the announcement (an empty
 * list: no dataset knows that name); 400 for another body (413 for a large one, 415 for one that is not JSON), 401 without the
 * token, 503 when Temporal does not take it, in
 * which case the sender must try again.
 * @throws FreshetError `usage` when the port is taken.
 */
export async function startWebhook(options: WebhookOptions): Promise<RunningWebhook> {
  const server = fastify({ bodyLimit: BODY_BYTES });
  addRoutes(server, options);
  const { host = "127.0.0.1", port } = options;
  try {
    const url = await server.listen({ host, port });
    return { url: `${url}/announce`, close: () => server.close() };
  } catch (cause) {
    throw new FreshetError("usage", "the webhook cannot listen", {
      found: (cause as Error).message,
      uri: `${host}:${port}`,
      remedy: "Choose another port (--webhook; 0 takes any free one)",
      cause,
    });
  }
}

function addRoutes(server: FastifyInstance, { announcer, token }: WebhookOptions): void {
  server.get("/healthz", async () => ({ ok: true }));
  // Before the body is read: who does not have the token learns nothing and costs nothing.
  const onRequest = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (token !== undefined && !carriesToken(request, token)) await reply.code(401).send({ error: "a bearer token is needed" });
  };
  server.post("/announce", { onRequest }, async (request, reply) => {
    const parsed = announcementSchema.safeParse(request.body);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      return reply.code(400).send({ error: `${issue?.path.join(".") || "body"}: ${issue?.message}` });
    }
    try {
      const granules = await announcer.announce({ ...parsed.data, by: "webhook", heardMs: Date.now() });
      reached("announce: held");
      return await reply.code(202).send({ granules });
    } catch (error) {
      return reply
        .code(503)
        .header("retry-after", "5")
        .send({ error: `not taken: ${(error as Error).message}` });
    }
  });
}

function carriesToken(request: FastifyRequest, token: string): boolean {
  const given = Buffer.from(request.headers.authorization ?? "");
  const expected = Buffer.from(`Bearer ${token}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
