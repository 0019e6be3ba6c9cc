// `npm run brokers -- [sqs|amqp]`: 5 000 announcements through a real broker, while starters die, the broker dies, and Temporal is away
// for a minute. Prints what came of it.
import { BROKERS } from "../test/brokers/announced-by.ts";
import { longTrial } from "../test/brokers/long-trial.ts";
import { missingOwnTemporal } from "../test/crashes/durable-temporal.ts";
import { missingElasticMq } from "../test/support/elasticmq.ts";
import { missingRabbitMq } from "../test/support/rabbitmq.ts";

type Kind = keyof typeof BROKERS;
const MISSING: Readonly<Record<Kind, () => string | false>> = { sqs: missingElasticMq, amqp: missingRabbitMq };

const kinds = Object.keys(BROKERS) as Kind[];
const asked = process.argv.slice(2) as Kind[];
const unknown = asked.filter((kind) => !kinds.includes(kind));
if (unknown.length > 0) {
  console.error(`brokers: there is no ${unknown.join(", ")}; there are ${kinds.join(", ")}`);
  process.exit(2);
}
let failures = 0;
for (const kind of asked.length > 0 ? asked : kinds) {
  const why = missingOwnTemporal() || MISSING[kind]();
  if (why !== false) {
    console.log(`skipped ${kind}: ${why}`);
    continue;
  }
  try {
    console.log(`ok ${kind}: ${await longTrial(kind)}`);
  } catch (error) {
    failures++;
    console.log(`FAILED ${kind}: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
  }
}
process.exit(failures === 0 ? 0 : 1);
