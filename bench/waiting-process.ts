// `waiting-process.ts ORIGIN MIRROR COUNT`: so many downloads at once from a server that gives nothing; each that is sent away comes back when it was told to, as an activity
// does. Prints the memory of the process after some seconds as JSON.
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { isFreshetError } from "../src/errors/index.ts";
import { copyOnce } from "./copy-once.ts";

const SECONDS = 12;
const [origin = "", mirror = "", count = "0"] = process.argv.slice(2);
const controller = new AbortController();
let busy = 0;
let underWay = 0;

async function comeAndGo(index: number): Promise<void> {
  while (!controller.signal.aborted) {
    try {
      underWay++;
      await copyOnce(`${origin}/file-${index}.nc`, `${pathToFileURL(mirror).href}/`, `key-${index}`, controller.signal);
    } catch (error) {
      if (!isFreshetError(error, "busy")) return;
      busy++;
      underWay--;
      await sleep(error.facts.retryAfterMs, undefined, { signal: controller.signal }).catch(() => undefined);
      underWay++;
    } finally {
      underWay--;
    }
  }
}

for (let index = 0; index < Number(count); index++) void comeAndGo(index);
await sleep(SECONDS * 1000);
global.gc?.();
const { rss, heapUsed } = process.memoryUsage();
const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20);
console.log(
  JSON.stringify({ "RSS MiB": mebibytes(rss), "heap MiB": mebibytes(heapUsed), "slots taken": underWay, "sent away": busy }),
);
process.exit(0);
