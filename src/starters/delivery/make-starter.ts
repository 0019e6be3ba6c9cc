import type { Announcer } from "../announcer.ts";
import { Intake } from "./intake.ts";
import { type Plan, passes } from "./plans.ts";
import type { Log, Starter } from "./starter.ts";
import type { Tally } from "./tally.ts";

/** A starter and what it has done. */
export interface Counted {
  readonly starter: Starter;
  readonly tally: Tally;
}

/**
 * The starter that a plan asks for; nothing is sent or looked up yet. The library that it speaks by is loaded now: most processes need none.
 */
export async function makeStarter(plan: Plan, announcer: Announcer, log: Log): Promise<Counted> {
  const { name, kind, serves } = plan;
  const parts = { announcer, name, via: kind, isOf: serves, sources: plan.sources.join(","), log };
  if (plan.kind === "sqs") {
    const intake = new Intake({ ...parts, serves });
    const { SqsStarter } = await import("./sqs-starter.ts");
    return { starter: new SqsStarter({ name, delivery: plan.delivery, intake, log }), tally: intake.tally };
  }
  const intake = new Intake({
    ...parts,
    serves: async (source, uri) => source.amqp !== undefined && passes(source.amqp, uri) && (await serves(source)),
    wants: plan.wants,
  });
  const { queueFor, bindings, prefetch } = plan;
  const { AmqpStarter } = await import("./amqp-starter.ts");
  return {
    starter: new AmqpStarter({ name, delivery: plan.delivery, queueFor, bindings, prefetch, intake, log }),
    tally: intake.tally,
  };
}
