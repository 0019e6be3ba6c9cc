export { type Announced, Announcer } from "./announcer.ts";
export { type Applied, applyDatasets } from "./apply.ts";
export { datasetInput, signalDataset } from "./dataset-workflow.ts";
export { type RoutedGranule, Router } from "./routing.ts";
export { ensureSearchAttributes } from "./search-attributes.ts";
export { connectTemporal, noServer } from "./temporal-connection.ts";
export { type RunningWebhook, startWebhook, type WebhookOptions } from "./webhook.ts";
