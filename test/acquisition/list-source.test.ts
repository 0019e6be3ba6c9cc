import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { listSource } from "../../src/acquisition/index.ts";
import type { Announcement, Listed, ListingPlace } from "../../src/contract/index.ts";
import { compileNames, type Dataset, fieldsAt } from "../../src/dataset/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import { granuleBytes } from "../products/made-granule.ts";
import { nameOf, noon, Workshop } from "../publication/workshop.ts";

let workshop: Workshop;
let announced: Announcement[];

const bytes = (day: number, value: number): Uint8Array => granuleBytes({ seconds: [noon(day) / 1000], value: () => value });
const pathOf = (day: number): string => join(workshop.folder, "in", nameOf(day));

beforeEach(async () => {
  workshop = await Workshop.start();
  announced = [];
});
afterEach(() => workshop.stop());

async function list(below: readonly string[] = [""], at?: ListingPlace): Promise<Listed> {
  const source = { ...workshop.dataset.source, listing: { everyMs: 1_000, below, back: 0 } };
  const dataset: Dataset = { ...workshop.dataset, source };
  const names = compileNames(dataset.match);
  announced = [];
  return listSource([source], at, {
    ledger: workshop.ledger,
    datasets: [dataset],
    routes: async (uri) => {
      const fields = fieldsAt(source, names, uri);
      return fields === undefined ? [] : [{ dataset, key: names.key(fields) }];
    },
    announce: async (name, announcement) => {
      assert.equal(name, "sst");
      announced.push(announcement);
    },
    signal: new AbortController().signal,
    onProgress: () => undefined,
    now: Date.now,
  });
}
const names = (): string[] => announced.map(({ uri }) => uri.slice(uri.lastIndexOf("/") + 1)).sort();
/** Everything that was announced is taken, as its workflow would, and published. */
async function takeAll(): Promise<void> {
  for (const { uri } of announced) await workshop.take(uri);
  await workshop.settle();
}

describe("a listing of a source", () => {
  test("announces what is new once, and says what no dataset knows", async () => {
    for (const day of [1, 2, 3]) await workshop.put(nameOf(day), bytes(day, day));
    await writeFile(join(workshop.folder, "in", "README.txt"), "");
    const first = await list();
    assert.deepEqual(names(), [nameOf(1), nameOf(2), nameOf(3)]);
    assert.ok(announced.every(({ by, removed, size }) => by === "listing" && removed === undefined && size === undefined));
    assert.deepEqual([first.looked, first.announced, first.known, first.foreign, first.next], [4, 3, 0, 1, undefined]);
    await takeAll();
    const second = await list();
    assert.deepEqual([announced, second.known, second.removed], [[], 3, 0]);
  });

  test("announces what was replaced", async () => {
    for (const day of [1, 2]) await workshop.put(nameOf(day), bytes(day, day));
    await list();
    await takeAll();
    await workshop.put(nameOf(2), bytes(2, 25));
    await list();
    assert.deepEqual(names(), [nameOf(2)]);
    await takeAll();
    assert.deepEqual((await list()).announced, 0);
    assert.deepEqual(await workshop.steps(), [1, 25]);
  });

  test("does not announce what waits in quarantine, until it changes", async () => {
    await workshop.put(nameOf(1), bytes(1, 1));
    await list();
    await takeAll();
    const uri = await workshop.put(nameOf(2), Buffer.from("<html>no granule</html>"));
    await list();
    assert.deepEqual(names(), [nameOf(2)]);
    await assert.rejects(workshop.take(uri));
    const [revision] = await workshop.ledger.revisionsOf("sst", "20170602T120000Z");
    assert.ok(revision !== undefined);
    const { dataset, key, identity } = revision;
    await workshop.ledger.record({ dataset, key, identity, state: "quarantined", reason: "no granule" });
    assert.deepEqual([(await list()).announced, announced], [0, []]);
    await workshop.put(nameOf(2), bytes(2, 2));
    await list();
    assert.deepEqual(names(), [nameOf(2)]);
  });

  test("announces what is gone as removed, once the ledger has it, and what comes back as new", async () => {
    for (const day of [1, 2, 3, 4]) await workshop.put(nameOf(day), bytes(day, day));
    await list();
    await takeAll();
    await rm(pathOf(3));
    const { removed } = await list();
    assert.deepEqual([removed, names(), announced[0]?.removed], [1, [nameOf(3)], true]);
    const [revision] = await workshop.ledger.revisionsOf("sst", "20170603T120000Z");
    const { key, identity } = revision as { key: string; identity: string };
    await workshop.ledger.noteSource({ dataset: "sst", key, identity }, { state: "gone", found: "nothing", atMs: Date.now() });
    assert.equal((await list()).removed, 0);
    await workshop.ledger.record({ dataset: "sst", key, identity, state: "withdrawn", reason: "gone" });
    await workshop.put(nameOf(3), bytes(3, 3));
    await list();
    assert.deepEqual([names(), announced[0]?.removed], [[nameOf(3)], undefined]);
  });

  test("takes most that are gone at once for an outage, and an absent folder for no word at all", async () => {
    for (const day of [1, 2, 3, 4]) await workshop.put(nameOf(day), bytes(day, day));
    await list();
    await takeAll();
    for (const day of [1, 2, 3]) await rm(pathOf(day));
    const outage = await list();
    assert.deepEqual([outage.removed, announced], [0, []]);
    assert.match(outage.notes[0] ?? "", /^3 of 4 granules are not listed any more/);
    await rm(join(workshop.folder, "in"), { recursive: true });
    const absent = await list();
    assert.deepEqual([absent.removed, absent.absent, absent.notes, announced], [0, 1, [], []]);
  });

  test("names folders that are refused, and looks at the others; where all are, it fails", async () => {
    const folders = ["ftp", "web"];
    const server = createServer((_request, response) => response.writeHead(403).end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    try {
      workshop.use({ at });
      await assert.rejects(list(folders), (error) => isFreshetError(error, "source-refused"));
      server.removeAllListeners("request");
      server.on("request", (request, response) => {
        const status = request.url?.startsWith("/web") === true ? 200 : 403;
        response.writeHead(status, { "content-type": "text/html" }).end(`<a href="${nameOf(1)}">`);
      });
      workshop.use({ at, match: "{folder}/{valid:%Y%m%d%H%M%S}.nc" });
      const { notes, announced: count } = await list(folders);
      assert.deepEqual([count, announced.map(({ uri }) => uri)], [1, [`${at}web/${nameOf(1)}`]]);
      assert.match(notes.join(), /the server refuses the file: found status 403 \(http:\/\/127\.0\.0\.1:\d+\/ftp\/\)/);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test("says nothing of folders that it does not look at", async () => {
    workshop.use({ match: "{day:2}/{valid:%Y%m%d%H%M%S}.nc" });
    for (const day of [1, 2]) await workshop.put(nameOf(day), bytes(day, day), `in/0${day}`);
    const { looked } = await list(["01"]);
    assert.deepEqual([looked, names()], [1, [nameOf(1)]]);
    const all = await list();
    assert.deepEqual([all.looked, names()], [2, [nameOf(1), nameOf(2)]]);
  });

  test("goes on in parts, and a second run of a part does no harm", async () => {
    workshop.use({ match: "{day:3}/{valid:%Y%m%d%H%M%S}.nc" });
    for (let day = 1; day <= 230; day++) {
      const name = `${new Date(noon(day)).toISOString().slice(0, 19).replace(/\D/g, "")}.nc`;
      await workshop.put(name, bytes(day, 1), `in/${String(day).padStart(3, "0")}`);
    }
    const first = await list();
    assert.ok(first.next !== undefined && first.announced < 230);
    const rest = await list([""], first.next);
    assert.deepEqual([rest.next, first.announced + rest.announced], [undefined, 230]);
    const again = await list([""], first.next);
    assert.deepEqual([again.announced, again.removed], [rest.announced, 0]);
  });
});
