import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FreshetError } from "../../../src/errors/index.ts";
import { storeError } from "../../../src/writers/icechunk/store-error.ts";

describe("what the binding's errors mean", () => {
  for (const [message, kind] of [
    ["branch update conflict: `(Some(A)) != (Some(B))`", "conflict"],
    ["cannot rebase snapshot X on top of the branch", "conflict"],
    ["the checksum of the object owning the virtual chunk has changed (file:///x)", "source-changed"],
    ["error retrieving virtual chunk, not enough data. Expected: (16), available (4)", "source-changed"],
    ["ENOSPC: no space left on device, write", "storage"],
    ["EACCES: permission denied, open '/x'", "storage"],
    ["repositories can only be created in clean prefixes", "storage"],
    ["something nobody has seen before", "storage"],
  ] as const) {
    test(`${message}: ${kind}, with the folder and the message`, () => {
      const error = storeError(new Error(`${message}\nand more lines`), "/the/store");
      assert.equal(error.kind, kind);
      assert.ok(error.message.includes(message.slice(0, 60)));
      assert.ok(error.message.includes("/the/store"));
      assert.ok(!error.message.includes("and more lines"));
    });
  }

  test("one of ours passes as it is, and what is no error at all is told too", () => {
    const ours = new FreshetError("drift", "x");
    assert.equal(storeError(ours, "/s"), ours);
    assert.match(storeError("a string", "/s").message, /a string/);
  });
});
