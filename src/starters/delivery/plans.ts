import type { AmqpDelivery, Dataset, Source, SqsDelivery } from "../../dataset/index.ts";
import { isFreshetError } from "../../errors/index.ts";
import { amqpAccess } from "./amqp-access.ts";
import { type Binding, queueName } from "./amqp-queue.ts";
import { queueUrl } from "./sqs-queue-url.ts";

/** Ways by which messages come to a process that waits for them. */
export const KINDS = ["sqs", "amqp"] as const;
export type Kind = (typeof KINDS)[number];

interface PlanOf<K extends Kind> {
  readonly kind: K;
  /** `sqs:ofs`; `sqs:ofs,rtofs` where several sources share one queue. */
  readonly name: string;
  /** The sources that the queue is for, by name. */
  readonly sources: readonly string[];
  /** Changes with everything that a starter has to be made anew for. Holds what secrets resolve to: never to be shown. */
  readonly key: string;
  readonly serves: (source: Source) => boolean;
}

/** One queue that has to be listened to. Whatever comes from it is for all the sources that name it. */
export type Plan =
  | (PlanOf<"sqs"> & { readonly delivery: SqsDelivery })
  | (PlanOf<"amqp"> & {
      readonly delivery: AmqpDelivery;
      readonly queue: string;
      readonly bindings: readonly Binding[];
      readonly prefetch: number;
      /** Whether any of the sources lets a uri pass. */
      readonly wants: (uri: string) => boolean;
    });

/**
 * The queues that datasets name, each once. Two that listened to one queue would each take what is for the other, so a queue is what
 * its name resolves to, not how a file writes it.
 *
 * @param datasets the one that was applied last first: its settings of a queue hold for all
 * @param share what tells installations apart that have the same user at a broker
 */
export function plansOf(datasets: readonly Dataset[], share: string): Plan[] {
  const plans: Plan[] = [];
  for (const [identity, sources] of grouped(datasets, ({ name, sqs }) => sqs && sqsIdentity(name, sqs))) {
    const delivery = sources[0]?.sqs as SqsDelivery;
    const serves = ({ name, sqs }: Source): boolean => sqs !== undefined && sqsIdentity(name, sqs) === identity;
    plans.push({ kind: "sqs", ...named("sqs", sources), delivery, serves, key: JSON.stringify([identity, delivery]) });
  }
  const ofAmqp = ({ name, amqp }: Source): string | undefined => amqp && amqpIdentity(name, amqp, share);
  for (const [identity, sources] of grouped(datasets, ofAmqp)) {
    const deliveries = sources.map(({ amqp }) => amqp as AmqpDelivery);
    const [delivery] = deliveries as [AmqpDelivery];
    const queue = amqpQueue(sources[0]?.name as string, delivery, share);
    const bindings = bindingsOf(deliveries);
    const prefetch = Math.max(...deliveries.map((one) => one.prefetch));
    const serves = (source: Source): boolean => ofAmqp(source) === identity;
    const wants = (uri: string): boolean => deliveries.some((one) => passes(one, uri));
    const key = JSON.stringify([identity, ...new Set(deliveries.map((one) => JSON.stringify(one)))]);
    plans.push({ kind: "amqp", ...named("amqp", sources), delivery, queue, bindings, prefetch, wants, serves, key });
  }
  return plans;
}

const patterns = new Map<string, RegExp>();

/** Whether a source's `accept` and `reject` let a uri pass. */
export function passes({ accept, reject }: Pick<AmqpDelivery, "accept" | "reject">, uri: string): boolean {
  const matches = (text: string): boolean => {
    const pattern = patterns.get(text) ?? new RegExp(text, "u");
    patterns.set(text, pattern);
    return pattern.test(uri);
  };
  return (accept.length === 0 || accept.some(matches)) && !reject.some(matches);
}

function named(kind: Kind, sources: readonly Source[]): { readonly name: string; readonly sources: readonly string[] } {
  const names = [...new Set(sources.map(({ name }) => name))].sort();
  return { name: `${kind}:${names.join(",")}`, sources: names };
}

function grouped(datasets: readonly Dataset[], identityOf: (source: Source) => string | undefined): Map<string, Source[]> {
  const groups = new Map<string, Source[]>();
  for (const { source } of datasets) {
    const identity = identityOf(source);
    if (identity === undefined) continue;
    const group = groups.get(identity);
    if (group === undefined) groups.set(identity, [source]);
    else group.push(source);
  }
  return groups;
}

/** A queue whose variable is not set is one of its own: its starter says what is missing. */
function sqsIdentity(source: string, delivery: SqsDelivery): string {
  return orElse(
    () => queueUrl(delivery),
    () => `${source} ${delivery.queue}`,
  );
}

function amqpIdentity(source: string, delivery: AmqpDelivery, share: string): string {
  return orElse(
    () => {
      const { hostname, port, vhost, user } = amqpAccess(delivery);
      return JSON.stringify([hostname, port, vhost, amqpQueue(source, delivery, share), user]);
    },
    () => `${source} ${delivery.broker}`,
  );
}

function amqpQueue(source: string, delivery: AmqpDelivery, share: string): string {
  return (
    delivery.queue ??
    orElse(
      () => queueName(amqpAccess(delivery).user, source, share),
      () => source,
    )
  );
}

function bindingsOf(deliveries: readonly AmqpDelivery[]): Binding[] {
  const texts = deliveries.flatMap(({ exchange, topics }) => topics.map((topic) => JSON.stringify({ exchange, topic })));
  return [...new Set(texts)].sort().map((text) => JSON.parse(text) as Binding);
}

function orElse<T>(work: () => T, otherwise: () => T): T {
  try {
    return work();
  } catch (error) {
    if (isFreshetError(error, "usage")) return otherwise();
    throw error;
  }
}
