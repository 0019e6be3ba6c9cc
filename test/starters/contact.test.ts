import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Contact } from "../../src/starters/delivery/contact.ts";

function contactWith(patienceMs: number): { readonly contact: Contact; readonly lines: string[] } {
  const lines: string[] = [];
  const add = (_: object, sentence: string): void => void lines.push(sentence);
  return { contact: new Contact("the queue", "Look at it", { info: add, warn: add, error: add }, patienceMs), lines };
}

test("one line when a server goes, one when it is back, however many attempts lie between", () => {
  const { contact, lines } = contactWith(0);
  contact.answers();
  for (let attempt = 0; attempt < 5; attempt++) contact.lost("refused");
  contact.answers();
  contact.answers();
  contact.lost("silent");
  assert.deepEqual(lines, [
    "the queue does not answer: refused. Tried again until it does. Look at it",
    "the queue answers again",
    "the queue does not answer: silent. Tried again until it does. Look at it",
  ]);
});

test("with patience nothing is said of attempts that fail among others that do not", () => {
  mock.timers.enable({ apis: ["Date"] });
  try {
    const { contact, lines } = contactWith(1_000);
    for (let attempt = 0; attempt < 5; attempt++) {
      contact.lost("slow");
      mock.timers.tick(900);
      contact.lost("slow");
      contact.answers();
    }
    assert.deepEqual(lines, []);
    contact.lost("gone");
    mock.timers.tick(1_000);
    assert.equal(contact.isLost, false);
    contact.lost("gone");
    assert.equal(contact.isLost, true);
    contact.answers();
    assert.deepEqual(lines.length, 2);
  } finally {
    mock.timers.reset();
  }
});
