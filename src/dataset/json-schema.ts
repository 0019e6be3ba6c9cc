import { z } from "zod";
import { documentSchema } from "./file-schema.ts";

/**
 * The JSON Schema of one document of a dataset file, as text. Draft 7, because editors' YAML support reads that one best.
 * It says less than `parseDatasetFile`: grammars, calendars and what holds between documents are not in it.
 */
export function datasetFileJsonSchema(): string {
  const schema = z.toJSONSchema(documentSchema, { io: "input", target: "draft-7" });
  return `${JSON.stringify({ title: "Freshet dataset file", ...schema }, null, 2)}\n`;
}
