import type { Source } from "../../dataset/index.ts";
import { FreshetError } from "../../errors/index.ts";
import type { Check } from "./finding.ts";

const HOST_REMEDY = "See that the host of `sqs.queue` is right and can be reached from here";

/** Whether a source's queue is there, lets us look, and has a dead-letter queue. Nothing is received. */
export function sqsChecks(source: Source): Check[] {
  const { name, sqs } = source;
  if (sqs === undefined) return [];
  const look = async () => {
    const [{ sqsAccess, sqsRefusal }, { SqsQueue }] = await Promise.all([
      import("../../brokers/index.ts"),
      import("../../starters/delivery/sqs-queue.ts"),
    ]);
    const access = await sqsAccess(sqs);
    try {
      const deadLetters = await new SqsQueue(access, sqs.visibilityMs).deadLetterQueue();
      if (deadLetters !== undefined) return `${access.shown}, dead letters to ${deadLetters.name}`;
      return {
        found: access.shown,
        note: "It has no dead-letter queue: malformed messages stay in it. Give it a redrive policy",
      };
    } catch (error) {
      const away = { found: access.redaction.of(error), uri: access.shown, remedy: HOST_REMEDY };
      throw sqsRefusal(error, access) ?? new FreshetError("unreachable", "the queue does not answer", away);
    } finally {
      access.client.destroy();
    }
  };
  return [{ part: `queue of ${name}`, remedy: HOST_REMEDY, look }];
}
