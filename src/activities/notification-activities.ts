import type { NotificationActivities } from "../contract/index.ts";
import type { NotifyTarget } from "../dataset/index.ts";
import { deliver, describeChannel } from "../notify/index.ts";
import type { DatasetFiles } from "./dataset-files.ts";
import { withHeartbeat } from "./heartbeat.ts";

/** The activities of the notification workflow; the contract of each stands at `NotificationActivities`. */
export function createNotificationActivities({ files }: { readonly files: DatasetFiles }): NotificationActivities {
  return {
    async targets(reference, kind) {
      const { notify = [] } = await files.get(reference);
      return notify.flatMap(({ when, channel }, index) =>
        when.includes(kind) ? [{ index, shown: describeChannel(channel) }] : [],
      );
    },

    async tell(reference, index, notification) {
      const { notify = [] } = await files.get(reference);
      // The file of this hash has it: `targets` said so.
      const { channel } = notify[index] as NotifyTarget;
      await withHeartbeat((_tell, signal) => deliver(channel, notification, signal));
    },
  };
}
