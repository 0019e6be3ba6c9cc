import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openLedger } from "../../src/ledger/index.ts";
import { Layout, type StoredState } from "../../src/products/index.ts";
import { readArrivals } from "../../src/publication/arrivals.ts";

const DAY_MS = 86_400_000;
const scan = { uri: "scans/00/0", sha256: "0".repeat(64) };

test("what comes after a publication of more granules than one look takes in is seen", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "freshet-arrivals-"));
  const ledger = await openLedger(join(folder, "ledger.db"));
  t.after(async () => {
    await ledger.close();
    await rm(folder, { recursive: true });
  });
  const dataset = "sst";
  const members = Array.from({ length: 2_000 }, (_, day) => ({ key: `day-${String(day).padStart(5, "0")}`, identity: "one" }));
  const ready = async (some: readonly { key: string; identity: string }[]): Promise<void> => {
    await ledger.hearAll(some.map((id) => ({ dataset, ...id })));
    await ledger.recordAll(some.map((id) => ({ dataset, ...id, state: "ready", scan })));
  };
  await ready(members);
  const cursor = await ledger.lastSeq(dataset);
  const facts = { snapshot: "A", layoutHash: "0", atMs: 0, granules: members.length, message: "" };
  await ledger.recordPublication({ dataset, product: "p", sequence: 1, ...facts }, members);
  await ready([{ key: "next", identity: "one" }]);

  const layout = Layout.of(
    0,
    members.map((member, day) => ({ ...member, validMs: day * DAY_MS, scan })),
  );
  const stored = { header: {}, epochs: [{ header: { epoch: 1 }, layout }] } as unknown as StoredState;
  const found = await readArrivals(ledger, dataset, stored, { afterSeq: cursor, upToSeq: Number.MAX_SAFE_INTEGER });
  assert.deepEqual(
    found.arrivals.map(({ key }) => key),
    ["next"],
  );
  assert.equal(found.lastSeq, await ledger.lastSeq(dataset));
});
