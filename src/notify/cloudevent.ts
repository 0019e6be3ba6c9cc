import type { Notification } from "../contract/index.ts";

/** A notification as a CloudEvent in structured mode (CloudEvents 1.0.2, JSON Event Format). */
export function cloudEventOf({ id, kind, dataset, subject, atMs, data }: Notification): Readonly<Record<string, unknown>> {
  return {
    specversion: "1.0",
    id,
    source: `/freshet/${encodeURIComponent(dataset)}`,
    type: `freshet.${kind}`,
    subject,
    time: new Date(atMs).toISOString(),
    datacontenttype: "application/json",
    data: { dataset, ...data },
  };
}
