import { copyFile, mkdir, rename, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import fastify from "fastify";

/** A web server over a folder: what agencies have. */
export interface TestAgency {
  /** `http://127.0.0.1:PORT/`. */
  readonly url: string;
  readonly folder: string;
  /** From one moment to the next all of it is there. Time of change: milliseconds, default now. */
  publish(name: string, content: Uint8Array | { readonly copyOf: string }, modifiedMs?: number): Promise<void>;
  withdraw(name: string): Promise<void>;
  close(): Promise<void>;
}

/** Ranges, ETag, Last-Modified and the conditions on them are served by the library. */
export async function startTestAgency(folder: string): Promise<TestAgency> {
  await mkdir(folder, { recursive: true });
  const server = fastify({ forceCloseConnections: true });
  await server.register(fastifyStatic, { root: folder, cacheControl: false });
  const url = `${await server.listen({ host: "127.0.0.1", port: 0 })}/`;
  return {
    url,
    folder,
    publish: async (name, content, modifiedMs = Date.now()) => {
      const path = join(folder, name);
      const temporary = `${path}.part`;
      if (content instanceof Uint8Array) await writeFile(temporary, content);
      else await copyFile(content.copyOf, temporary);
      await utimes(temporary, modifiedMs / 1000, modifiedMs / 1000);
      await rename(temporary, path);
    },
    withdraw: (name) => rm(join(folder, name)),
    close: () => server.close(),
  };
}
