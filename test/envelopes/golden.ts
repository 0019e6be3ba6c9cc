import { readdirSync, readFileSync } from "node:fs";
import type { EnvelopeOptions, Message, Reading } from "../../src/envelopes/index.ts";

/** One message with what is to be read from it. */
export interface Golden {
  readonly name: string;
  readonly message: Message & { readonly body: string };
  readonly options: EnvelopeOptions;
  readonly expected: Reading;
}

const FOLDER = new URL("./golden/", import.meta.url);

/** The golden messages by the name of their file. In the files JSON that travels as text is written as JSON, to be readable. */
export function goldenMessages(): Map<string, readonly Golden[]> {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
  return new Map(files.map((name) => [name.replace(".json", ""), readGolden(new URL(name, FOLDER))]));
}

function readGolden(file: URL): Golden[] {
  const cases = JSON.parse(readFileSync(file, "utf8")) as {
    name: string;
    message: Message;
    options?: EnvelopeOptions;
    expected: Reading;
  }[];
  return cases.map(({ name, message, options = {}, expected }) => ({
    name,
    message: { ...message, body: textOf(message.body) },
    options,
    expected,
  }));
}

function textOf(body: unknown): string {
  if (typeof body === "string") return body;
  const isNotification = typeof body === "object" && body !== null && "TopicArn" in body && "Message" in body;
  return JSON.stringify(isNotification ? { ...body, Message: textOf(body.Message) } : body);
}
