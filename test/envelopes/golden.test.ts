import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readEnvelope } from "../../src/envelopes/index.ts";
import { goldenMessages } from "./golden.ts";

const golden = goldenMessages();

test("every form has golden messages", () => {
  assert.deepEqual([...golden.keys()].sort(), [
    "cloudevent",
    "cmr",
    "eventbridge",
    "flat",
    "freshet",
    "pubsub",
    "s3-event",
    "sarracenia-v02",
    "sarracenia-v03",
    "sns",
  ]);
});

for (const [form, messages] of golden) {
  describe(form, () => {
    for (const { name, message, options, expected } of messages) {
      test(name, () => {
        assert.deepEqual(readEnvelope(message, options), expected);
        const bytes = { ...message, body: new TextEncoder().encode(message.body) };
        assert.deepEqual(readEnvelope(bytes, options), expected, "as bytes");
      });
    }
  });
}
