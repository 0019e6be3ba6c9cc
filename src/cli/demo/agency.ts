import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import fastifyStatic from "@fastify/static";
import fastify from "fastify";
import { FreshetError } from "../../errors/index.ts";
import { AGENCY_GRANULES, type AgencyGranule, type DatasetName } from "./granules.ts";
import { type Mistake, withMistake } from "./mistakes.ts";

const ANNOUNCE_TRIES = 5;
const ANNOUNCE_PAUSE_MS = 500;

/** What the webhook answers. */
interface Taken {
  readonly granules: readonly { readonly dataset: string; readonly key: string }[];
}

/** A small agency: a web server with granules on it, and somebody who announces them. */
export interface Agency {
  /** Where its granules of a dataset are published; ends in `/`. */
  at(dataset: DatasetName): string;
  /** Whether the granule is on the server; it may be from an earlier demo in the same folder. */
  has(granule: AgencyGranule): Promise<boolean>;
  /** Puts the granule on the server, perhaps with a mistake in it; from one moment to the next all of that is there. */
  publish(granule: AgencyGranule, mistake?: Mistake): Promise<void>;
  /** Tells Freshet of it, with size and sha256 of what is there, or of what will be. Answers its key. @throws FreshetError `unreachable`. */
  announce(granule: AgencyGranule, webhookUrl: string): Promise<string>;
  close(): Promise<void>;
}

/**
 * Starts the agency's server on 127.0.0.1: ranges, Last-Modified, ETag and the conditions on them are served as by any other.
 * What the folder holds from an earlier time stays published.
 */
export async function startAgency({ folder, port }: { readonly folder: string; readonly port: number }): Promise<Agency> {
  for (const { dataset } of AGENCY_GRANULES) await mkdir(join(folder, dataset), { recursive: true });
  // A connection that a reader keeps open must not keep the demo from ending.
  const server = fastify({ forceCloseConnections: true });
  await server.register(fastifyStatic, { root: folder, cacheControl: false });
  const url = await server.listen({ host: "127.0.0.1", port });
  const at = (dataset: DatasetName): string => `${url}/${dataset}/`;

  return {
    at,
    close: () => server.close(),

    async has({ dataset, name }) {
      return (await stat(join(folder, dataset, name)).catch(() => undefined)) !== undefined;
    },

    async publish({ dataset, name, origin }, mistake) {
      const partial = join(folder, `.${name}.part`);
      if (mistake === undefined) await copyFile(origin, partial);
      else await writeFile(partial, withMistake(await readFile(origin), mistake));
      await rename(partial, join(folder, dataset, name));
    },

    async announce({ dataset, name, origin }, webhookUrl) {
      const bytes = await readFile(join(folder, dataset, name)).catch(() => readFile(origin));
      const checksum = { algorithm: "sha256", value: createHash("sha256").update(bytes).digest("hex") };
      const taken = await post(webhookUrl, { uri: `${at(dataset)}${encodeURIComponent(name)}`, size: bytes.length, checksum });
      const key = taken.granules.find((granule) => granule.dataset === dataset)?.key;
      if (key !== undefined) return key;
      throw new FreshetError("usage", "no dataset knows the agency's granule", {
        found: name,
        expected: `a granule of ${dataset}`,
      });
    },
  };
}

/** An announcement that was not taken (503) is made again: only 202 says that it is held. */
async function post(url: string, announcement: unknown): Promise<Taken> {
  let found = "";
  for (let attempt = 1; attempt <= ANNOUNCE_TRIES; attempt++) {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(announcement),
    });
    if (response.status === 202) return (await response.json()) as Taken;
    found = `${response.status} ${await response.text()}`;
    await sleep(ANNOUNCE_PAUSE_MS);
  }
  throw new FreshetError("unreachable", "Freshet does not take the agency's announcement", { found, uri: url });
}
