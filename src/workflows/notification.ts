import { ActivityFailure, ApplicationFailure, proxyActivities, setCurrentDetails } from "@temporalio/workflow";
import type { NotificationActivities, NotificationInput, NotificationOutcome } from "../contract/index.ts";
import { rootMessage } from "./root-message.ts";

const { targets } = proxyActivities<NotificationActivities>({
  summary: "who is to be told?",
  startToCloseTimeout: "1 minute",
  retry: { initialInterval: "500 milliseconds", maximumInterval: "1 minute" },
});
const { tell } = proxyActivities<NotificationActivities>({
  summary: "tell one of them",
  startToCloseTimeout: "1 minute",
  // Whoever was away for a weekend hears of it.
  scheduleToCloseTimeout: "3 days",
  retry: { initialInterval: "1 second", maximumInterval: "10 minutes" },
});

/**
 * Tells everybody whom the dataset file names that something happened, each at least once and by itself: one who cannot be reached keeps
 * nobody else waiting. Fails when somebody could not be told, with the reasons.
 */
export async function notification({ dataset, notification: told }: NotificationInput): Promise<readonly NotificationOutcome[]> {
  const all = await targets(dataset, told.kind);
  const outcomes = new Map<number, NotificationOutcome>();
  const show = (): void => {
    const lines = all.map(({ index, shown }) => {
      const outcome = outcomes.get(index);
      return `* ${shown}: ${outcome === undefined ? "being told" : (outcome.trouble ?? "told")}`;
    });
    setCurrentDetails([`**${told.kind}** ${told.subject}`, ...lines].join("\n"));
  };
  show();
  await Promise.all(
    all.map(async (target) => {
      const trouble = await tell(dataset, target.index, told).then(
        () => undefined,
        (error: unknown) => {
          if (error instanceof ActivityFailure) return rootMessage(error);
          throw error;
        },
      );
      outcomes.set(target.index, { ...target, trouble });
      show();
    }),
  );
  const ended = all.map(({ index }) => outcomes.get(index) as NotificationOutcome);
  const failed = ended.filter(({ trouble }) => trouble !== undefined);
  if (failed.length > 0) {
    const reasons = failed.map(({ shown, trouble }) => `${shown}: ${trouble}`).join("; ");
    throw ApplicationFailure.create({ type: "notification", message: reasons, nonRetryable: true, details: [ended] });
  }
  return ended;
}
