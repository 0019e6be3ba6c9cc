export { type AttributeRule, type AttributeRules, attributeRule } from "./attribute-rule.ts";
export { type Calendar, isOn, positionOf, stepAtOrAfter, stepAtOrBefore, timeAt } from "./calendar.ts";
export { type CanonicalDataset, canonicalDataset, datasetOfText } from "./canonical.ts";
export { formsOf } from "./catalog-schema.ts";
export { type ChangeClass, classifyChange } from "./classify-change.ts";
export {
  type CollectionAlongGranules,
  type CollectionOfOne,
  type CollectionProduct,
  type GranuleCoordinate,
  isOfSwaths,
} from "./collection.ts";
export type {
  AmqpDelivery,
  CmrCollection,
  CmrSearch,
  Credentials,
  Dataset,
  DatasetFile,
  FileCalendar,
  ForecastProduct,
  ForecastView,
  Listing,
  NotificationKind,
  NotifyChannel,
  NotifyTarget,
  Policies,
  Product,
  Runs,
  Source,
  SqsDelivery,
  TimeseriesProduct,
} from "./dataset.ts";
export { datesOf } from "./dataset.ts";
export { type Dates, dateOfDays, daysOfDate, fromReal, toReal, writtenInstant } from "./dates.ts";
export { type DriftAction, type DriftKind, type DriftPolicy, driftAction } from "./drift.ts";
export { parseDuration } from "./duration.ts";
export { fieldsAt, isBelow } from "./fields-at.ts";
export type {
  CatalogAbout,
  Form,
  GranuleReferencesForm,
  KerchunkJsonForm,
  KerchunkParquetForm,
  StacForm,
  XredsForm,
} from "./form.ts";
export { keyPrefixOfRun } from "./granule-key.ts";
export { granulePath } from "./granule-path.ts";
export { granuleTimeOf } from "./granule-time.ts";
export { INSTANT_FORM, parseInstant } from "./instant.ts";
export { datasetFileJsonSchema } from "./json-schema.ts";
export { fieldsOfMessage, fillMessageTemplate, isSelected, type MessageRule, messageText } from "./message-fields.ts";
export { compileNames, heldUntil, type NameReader, runTimeOf, validPrecisionMs, validTimeOf } from "./name-grammar.ts";
export { namedView } from "./named-view.ts";
export { areNamesMadeUp, urisBetween } from "./names-between.ts";
export { namesOf } from "./names-of.ts";
export { parseDatasetFile } from "./parse-dataset-file.ts";
export { DatasetFileError, type Problem } from "./problem.ts";
export type { S3Access } from "./s3-access.ts";
