import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isFreshetError } from "../../src/errors/index.ts";
import type { Ledger, Revision, RevisionEvent, RevisionState } from "../../src/ledger/index.ts";
import { foldEntries } from "../../src/ledger/step.ts";
import { aPublication, type LedgerFactory } from "./ledger-bench.ts";
import { ModelLedger } from "./model.ts";

type Command =
  | { readonly kind: "hear"; readonly name: string }
  | { readonly kind: "record"; readonly name: string; readonly state: RevisionEvent["state"]; readonly reason: string }
  | {
      readonly kind: "publish";
      readonly product: string;
      readonly sequence: number;
      readonly names: readonly string[];
      readonly isBold: boolean;
    }
  | { readonly kind: "clock"; readonly byMs: number };

const names = fc.constantFrom("a/1", "a/2", "a/3", "b/1", "b/2", "c/1");
const states = fc.constantFrom<RevisionEvent["state"]>(
  "heard",
  "ready",
  "superseded",
  "duplicate",
  "skipped",
  "quarantined",
  "withdrawn",
);
const onePerKey = fc.uniqueArray(names, { minLength: 1, maxLength: 3, selector: (name) => name.charAt(0) });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("hear" as const), name: names }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("record" as const),
      name: names,
      state: fc.constant("ready" as const),
      reason: fc.constant(""),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("record" as const), name: names, state: states, reason: fc.constantFrom("", "x") }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("publish" as const),
      product: fc.constantFrom("p", "q"),
      sequence: fc.integer({ min: 1, max: 6 }),
      names: onePerKey,
      isBold: fc.nat(9).map((die) => die === 0),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("clock" as const), byMs: fc.constantFrom(-500, 0, 1_000) }) },
);

/** Random commands lead the ledger and the model to the same end, and the events fold to what the ledger says. */
export function ledgerFollowsModel(database: string, open: LedgerFactory, numRuns = 40): void {
  test(`the ledger on ${database} follows its model through random sequences of steps`, async () => {
    const seen = { appended: 0, repeats: 0, conflicts: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 20, maxLength: 60 }), async (commands) => {
        let nowMs = 10_000;
        const ledger = await open(() => nowMs);
        const model = new ModelLedger();
        for (const name of ["a/1", "a/2", "b/1"]) await both(ledger, model, { kind: "hear", name }, seen);
        for (const one of commands) {
          if (one.kind === "clock") nowMs += one.byMs;
          else await both(ledger, model, one, seen);
        }
        await compare(ledger, model);
        await ledger.close();
      }),
      { seed: 20261120, numRuns },
    );
    // A property that never got anywhere would hold too.
    assert.ok(seen.appended > 12 * numRuns && seen.repeats > 2 * numRuns && seen.conflicts > 2 * numRuns, JSON.stringify(seen));
  });
}

/** Writes what one random sequence of steps leaves in a ledger, dataset `d`. */
export async function writeRandomHistory(ledger: Ledger, seed: number): Promise<void> {
  const model = new ModelLedger();
  const seen = { appended: 0, repeats: 0, conflicts: 0 };
  const [commands = []] = fc.sample(fc.array(command, { minLength: 150, maxLength: 200, size: "max" }), { seed, numRuns: 1 });
  for (const name of ["a/1", "a/2", "b/1"]) await both(ledger, model, { kind: "hear", name }, seen);
  for (const one of commands) if (one.kind !== "clock") await both(ledger, model, one, seen);
  assert.ok(seen.appended > 30, JSON.stringify(seen));
}

async function both(
  ledger: Ledger,
  model: ModelLedger,
  command: Exclude<Command, { kind: "clock" }>,
  seen: { appended: number; repeats: number; conflicts: number },
): Promise<void> {
  let found: boolean | "done" | "conflict";
  let expected: boolean | "done" | "conflict";
  if (command.kind === "hear") {
    expected = model.hear(command.name);
    found = (await ledger.hear(idOf(command.name))).isNew;
  } else if (command.kind === "record") {
    const { name, state, reason } = command;
    expected = model.record(name, state, reason);
    found = await orConflict(async () => (await ledger.record({ ...idOf(name), state, reason })).appended);
  } else {
    const { product, sequence } = command;
    // A bold one names whatever there is; the others what a writer would.
    const members = command.names.filter((name) => command.isBold || isPublishable(model.revisions.get(name)?.state)).toSorted();
    expected = model.publish(product, sequence, members);
    const publication = aPublication({ dataset: "d", product, sequence, snapshot: members.join() });
    found = await orConflict(async () => {
      await ledger.recordPublication(publication, members.map(idOf));
      return "done" as const;
    });
  }
  assert.equal(found, expected, JSON.stringify(command));
  if (found === "conflict") seen.conflicts++;
  else if (found === false) seen.repeats++;
  else seen.appended++;
}

async function compare(ledger: Ledger, model: ModelLedger): Promise<void> {
  const show = ({ key, identity, state }: Revision) => `${key}/${identity} ${state}`;
  const all = await ledger.granules("d", { limit: 100 });
  assert.deepEqual(all.toSorted((a, b) => a.changedSeq - b.changedSeq).map(show), model.inOrder());
  assert.deepEqual((await ledger.readyAfter("d", 0, 100)).map(show), model.inOrder("ready", "withdrawn"));
  assert.deepEqual((await ledger.changedAfter("d", 3, ["published", "superseded", "heard"], 4)).map(show), model.after(3, 4));
  assert.deepEqual((await ledger.newest("d", 3)).map(show), model.inOrder().toReversed().slice(0, 3));
  const standing = (await ledger.standing("d", { limit: 100 })).map(show);
  assert.deepEqual(standing.toSorted(), model.inOrder("ready", "published").toSorted());
  assert.deepEqual(await ledger.counts("d"), model.counts());
  assert.equal(await ledger.lastSeq("d"), model.seq);
  for (const product of ["p", "q"]) {
    const unpublished = (await ledger.unpublished("d", product)).map(({ key, identity }) => `${key}/${identity}`);
    assert.deepEqual(unpublished, model.unpublished(product));
  }
  for (const key of ["a", "b", "c"]) {
    const folded = foldEntries(await ledger.history("d", key));
    assert.deepEqual(folded, await ledger.revisionsOf("d", key));
  }
  assert.deepEqual(await ledger.granules("d", { limit: 100, asOfMs: Number.MAX_SAFE_INTEGER }), all);
}

function isPublishable(state: RevisionState | undefined): boolean {
  return state === "ready" || state === "published" || state === "superseded";
}

function idOf(name: string) {
  const [key = "", identity = ""] = name.split("/");
  return { dataset: "d", key, identity };
}

async function orConflict<Answer>(act: () => Promise<Answer>): Promise<Answer | "conflict"> {
  try {
    return await act();
  } catch (error) {
    if (isFreshetError(error, "conflict", "corrupt")) return "conflict";
    throw error;
  }
}
