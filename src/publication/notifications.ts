import type { Notification, PublicationKind, PublicationResult } from "../contract/index.ts";
import type { Dataset } from "../dataset/index.ts";
import type { Alarm } from "../ledger/index.ts";

/** That readers see a new version; its id is that of the version. */
export function publishedNotification(
  dataset: Dataset,
  { product, sequence, version, granules, changed, atMs }: PublicationResult,
  kind: PublicationKind,
): Notification {
  const store = dataset.products.find(({ name }) => name === product)?.store ?? "";
  return {
    id: `${dataset.name}/${product}#${sequence}`,
    kind: "published",
    dataset: dataset.name,
    subject: `${product} #${sequence}`,
    atMs,
    data: { product, sequence, version, granules, changed, store, made: kind },
  };
}

/** That a product cannot be published until somebody does something; once for each reason. */
export function failedNotification(dataset: string, product: string, trouble: string, atMs: number): Notification {
  return {
    id: `${dataset}/${product} cannot be published: ${trouble}`,
    kind: "publish-failed",
    dataset,
    subject: product,
    atMs,
    data: { product, reason: trouble },
  };
}

/** That nothing comes, or not what should, or that a run is not whole at its deadline; once for each alarm. */
export function quietNotification(dataset: string, { kind, subject, text, sinceMs }: Alarm): Notification {
  return {
    id: `${dataset}/${kind} ${subject}: ${text}`,
    kind: kind === "overdue" ? kind : "quiet",
    dataset,
    subject,
    atMs: sinceMs,
    data: { alarm: kind, reason: text },
  };
}

/** That a revision waits for a decision. */
export function quarantinedNotification(
  dataset: string,
  { key, identity, uri }: { readonly key: string; readonly identity: string; readonly uri: string },
  reason: string,
  atMs: number,
): Notification {
  return {
    id: `${dataset}/${key} ${identity} in quarantine: ${reason}`,
    kind: "quarantined",
    dataset,
    subject: key,
    atMs,
    data: { granule: key, revision: identity, uri, reason },
  };
}
