import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { granuleBytes } from "../products/made-granule.ts";
import { nameOf, noon, Workshop } from "../publication/workshop.ts";
import { missingPython } from "../support/python.ts";
import { inPython } from "../writers/icechunk/in-python.ts";
import { readAlong, type Seen } from "./reading-along.ts";

let workshop: Workshop | undefined;
afterEach(() => workshop?.stop());

const deliver = async (on: Workshop, day: number, value: number): Promise<string> => {
  await on.deliver(nameOf(day), granuleBytes({ seconds: [noon(day) / 1000], value: () => value }));
  const [result] = await on.settle();
  assert.ok(result);
  return result.version;
};

/** Reads a version of a store step by step: the value, or why it cannot be read. */
const STEPS = `
import zarr
repository = open_repo(sys.argv[1])
sst = zarr.open_group(repository.readonly_session(snapshot_id=sys.argv[2]).store, mode="r")["sst"]
found = []
for step in range(sst.shape[0]):
    try:
        found.append(sorted(set(sst[step].ravel().tolist())))
    except Exception as error:
        found.append(str(error))
print(json.dumps(found))`;

describe("readers beside publications", { skip: missingPython() }, () => {
  test("see whole versions only, each as it was announced; also older ones (npm run readers: more of them)", async () => {
    const { python, node, kinds } = await readAlong(30);
    const whole = (seen: Seen, who: string): void => {
      assert.deepEqual(seen.wrong, [], who);
      assert.ok(seen.rounds >= 5 && seen.versions >= 3, `${who} saw ${JSON.stringify(seen)}`);
    };
    whole(python, "Python");
    whole(node, "Node");
    for (const kind of ["publication", "rollback", "release", "rebuild"]) assert.ok(kinds.has(kind), kind);
  });

  test("of an older version whose source was replaced in place get the named error, and no value that is wrong", async () => {
    workshop = await Workshop.start();
    await deliver(workshop, 1, 10);
    const before = await deliver(workshop, 2, 20);
    const after = await deliver(workshop, 1, 11);
    const store = `${workshop.folder}/store`;
    const [first, second] = await inPython<(string | number[])[]>(STEPS, store, before);
    assert.match(String(first), /the checksum of the object owning the virtual chunk has changed/);
    assert.deepEqual(second, [20]);
    assert.deepEqual(await inPython(STEPS, store, after), [[11], [20]]);
    await assert.rejects(workshop.steps(before), /the checksum of the object owning the virtual chunk has changed/);
    assert.deepEqual(await workshop.steps(after), [11, 20]);
  });
});
