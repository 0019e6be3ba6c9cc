import { amqpAccess, queueUrl } from "../../brokers/index.ts";
import type { AmqpDelivery, Dataset, Source, SqsDelivery } from "../../dataset/index.ts";
import { isFreshetError } from "../../errors/index.ts";
import { type Binding, queueName } from "./amqp-queue.ts";

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
  /** @throws FreshetError `unreachable` where who keeps a secret of the source does not answer. */
  readonly serves: (source: Source) => Promise<boolean>;
}

/** One queue that has to be listened to. Whatever comes from it is for all the sources that name it. */
export type Plan =
  | (PlanOf<"sqs"> & { readonly delivery: SqsDelivery })
  | (PlanOf<"amqp"> & {
      readonly delivery: AmqpDelivery;
      /** The queue's name, for the user that we are at the broker. */
      readonly queueFor: (user: string) => string;
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
export async function plansOf(datasets: readonly Dataset[], share: string): Promise<Plan[]> {
  const plans: Plan[] = [];
  for (const [identity, sources] of await grouped(datasets, sqsIdentity)) {
    const delivery = sources[0]?.sqs as SqsDelivery;
    const own = new Set(sources.map(({ name, sqs }) => JSON.stringify([name, sqs])));
    const serves = async (source: Source): Promise<boolean> =>
      own.has(JSON.stringify([source.name, source.sqs])) || (await sqsIdentity(source)) === identity;
    plans.push({ kind: "sqs", ...named("sqs", sources), delivery, serves, key: JSON.stringify([identity, delivery]) });
  }
  const ofAmqp = (source: Source): Promise<string | undefined> => amqpIdentity(source, share);
  for (const [identity, sources] of await grouped(datasets, ofAmqp)) {
    const deliveries = sources.map(({ amqp }) => amqp as AmqpDelivery);
    const [delivery] = deliveries as [AmqpDelivery];
    const queueFor = (user: string): string => amqpQueue(sources[0] as Source, user, share);
    const bindings = bindingsOf(deliveries);
    const prefetch = Math.max(...deliveries.map((one) => one.prefetch));
    const own = new Set(sources.map(({ name, amqp }) => JSON.stringify([name, amqp])));
    const serves = async (source: Source): Promise<boolean> =>
      own.has(JSON.stringify([source.name, source.amqp])) || (await ofAmqp(source)) === identity;
    const wants = (uri: string): boolean => deliveries.some((one) => passes(one, uri));
    const key = JSON.stringify([identity, ...new Set(deliveries.map((one) => JSON.stringify(one)))]);
    plans.push({ kind: "amqp", ...named("amqp", sources), delivery, queueFor, bindings, prefetch, wants, serves, key });
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

async function grouped(
  datasets: readonly Dataset[],
  identityOf: (source: Source) => Promise<string | undefined>,
): Promise<Map<string, Source[]>> {
  const groups = new Map<string, Source[]>();
  for (const { source } of datasets) {
    const identity = await identityOf(source).catch((error: unknown) => {
      // One keeper of secrets that is away holds up its own queues only.
      if (isFreshetError(error, "unreachable")) return `${source.name}, whose secret is not known`;
      throw error;
    });
    if (identity === undefined) continue;
    const group = groups.get(identity);
    if (group === undefined) groups.set(identity, [source]);
    else group.push(source);
  }
  return groups;
}

/** A queue whose secret is not set is one of its own: its starter says what is missing. */
async function sqsIdentity({ name, sqs }: Source): Promise<string | undefined> {
  return sqs && orElse(queueUrl(sqs), `${name} ${sqs.queue}`);
}

async function amqpIdentity({ name, amqp }: Source, share: string): Promise<string | undefined> {
  if (amqp === undefined) return undefined;
  const place = amqpAccess(amqp).then(({ hostname, port, vhost, user }) =>
    JSON.stringify([hostname, port, vhost, amqpQueue({ name, amqp }, user, share), user]),
  );
  return orElse(place, `${name} ${amqp.broker}`);
}

function amqpQueue({ name, amqp }: Pick<Source, "name" | "amqp">, user: string, share: string): string {
  return amqp?.queue ?? queueName(user, name, share);
}

function bindingsOf(deliveries: readonly AmqpDelivery[]): Binding[] {
  const texts = deliveries.flatMap(({ exchange, topics }) => topics.map((topic) => JSON.stringify({ exchange, topic })));
  return [...new Set(texts)].sort().map((text) => JSON.parse(text) as Binding);
}

async function orElse(work: Promise<string>, otherwise: string): Promise<string> {
  try {
    return await work;
  } catch (error) {
    if (isFreshetError(error, "usage")) return otherwise;
    throw error;
  }
}
