import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { type Dataset, parseDatasetFile } from "../../src/dataset/index.ts";
import { passes, plansOf } from "../../src/starters/delivery/plans.ts";

const QUEUE = "https://sqs.eu-west-2.amazonaws.com/123456789012/ostia";

beforeEach(() => {
  process.env.TEST_PLANS_QUEUE = QUEUE;
});
afterEach(() => {
  delete process.env.TEST_PLANS_QUEUE;
});

test("a queue that two sources name in different words is listened to once, for both", async () => {
  const datasets = [
    ...datasetsOf("ostia", `sqs: { queue: "${QUEUE}", visibility: 90s }`),
    ...datasetsOf("another", `sqs: { queue: "\${TEST_PLANS_QUEUE}" }`),
    ...datasetsOf("alone", `sqs: { queue: "${QUEUE}-of-another" }`),
  ];
  const [first, second, ...others] = await plansOf(datasets, "share");
  assert.equal(first?.name, "sqs:another,ostia");
  assert.equal(first?.kind === "sqs" && first.delivery.visibilityMs, 90_000, "what was applied last holds");
  assert.equal(second?.name, "sqs:alone");
  assert.deepEqual(others, []);
  const served = (plan: typeof first) => Promise.all(datasets.map(({ source }) => plan?.serves(source)));
  assert.deepEqual(await served(first), [true, true, false]);
  assert.deepEqual(await served(second), [false, false, true]);
});

test("a queue whose variable is not set is one of its own", async () => {
  delete process.env.TEST_PLANS_QUEUE;
  const datasets = [
    ...datasetsOf("ostia", `sqs: { queue: "${QUEUE}" }`),
    ...datasetsOf("another", `sqs: { queue: "\${TEST_PLANS_QUEUE}" }`),
  ];
  assert.deepEqual(
    (await plansOf(datasets, "share")).map(({ name }) => name),
    ["sqs:ostia", "sqs:another"],
  );
});

test("a broker's queue has the topics of all its sources and the name that Sarracenia gives", async () => {
  const datasets = [
    ...datasetsOf("hpfx", `amqp: { broker: "amqps://example.org/", topics: ["v02.post.#", "v03.#"] }`),
    ...datasetsOf("named", `amqp: { broker: "amqps://example.org/", queue: q_one, topics: ["a.#"], prefetch: 3 }`),
    ...datasetsOf("beside", `amqp: { broker: "amqps://example.org:5671/", queue: q_one, topics: ["b.#", "a.#"], exchange: x }`),
    ...datasetsOf("elsewhere", `amqp: { broker: "amqps://example.com/", queue: q_one, topics: ["a.#"] }`),
  ];
  const plans = (await plansOf(datasets, "5ba1e0c7")).map(
    (plan) => plan.kind === "amqp" && [plan.name, plan.queueFor("anonymous"), plan.prefetch, plan.bindings],
  );
  assert.deepEqual(plans, [
    [
      "amqp:hpfx",
      "q_anonymous.freshet.hpfx.5ba1e0c7",
      25,
      [
        { exchange: "xpublic", topic: "v02.post.#" },
        { exchange: "xpublic", topic: "v03.#" },
      ],
    ],
    [
      "amqp:beside,named",
      "q_one",
      25,
      [
        { exchange: "x", topic: "a.#" },
        { exchange: "x", topic: "b.#" },
        { exchange: "xpublic", topic: "a.#" },
      ],
    ],
    ["amqp:elsewhere", "q_one", 25, [{ exchange: "xpublic", topic: "a.#" }]],
  ]);
});

test("a plan's key changes with everything that its starter is made of, and with nothing else", async () => {
  const key = async (delivery: string, dataset = "d"): Promise<string | undefined> =>
    (await plansOf(datasetsOf("s", delivery, dataset), "share"))[0]?.key;
  const sqs = `sqs: { queue: "${QUEUE}" }`;
  assert.equal(await key(sqs), await key(sqs, "another"));
  assert.notEqual(await key(sqs), await key(`sqs: { queue: "${QUEUE}", visibility: 61s }`));
  const amqp = (more: string): string => `amqp: { broker: "amqp://example.org/", topics: ["a.#"]${more} }`;
  assert.notEqual(await key(amqp("")), await key(amqp(", prefetch: 26")));
  assert.notEqual(await key(amqp("")), await key(amqp(`, reject: ["x"]`)));
  assert.notEqual(await key(amqp("")), await key(amqp(`, password: "\${SECRET}"`)));
});

test("a uri passes when one of `accept` matches, or there is none, and none of `reject`", () => {
  const uri = "https://example.org/model_rdps/10km/06/001/x.grib2";
  assert.equal(passes({ accept: [], reject: [] }, uri), true);
  assert.equal(passes({ accept: ["hrdps", "rdps/10km"], reject: [] }, uri), true);
  assert.equal(passes({ accept: ["hrdps"], reject: [] }, uri), false);
  assert.equal(passes({ accept: ["rdps"], reject: ["[.]grib2$"] }, uri), false);
});

function datasetsOf(source: string, delivery: string, dataset = source): readonly Dataset[] {
  const text = `
sources: { ${source}: { at: "https://example.org/data/", ${delivery} } }
---
name: ${dataset}
from: { source: ${source} }
match: "{valid:%Y%m%d}.nc"
products: [ { timeseries: { calendar: { every: 1d }, store: stores/${dataset} } } ]
`;
  return parseDatasetFile(text, { file: "/tmp/plans.yaml" }).datasets;
}
