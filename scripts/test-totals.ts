// A node:test reporter: the totals of the whole run as one line of JSON, for .ci/run.
import type { TestEvent } from "node:test/reporters";

export default async function* totals(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    // The event without a file is the one about the whole run.
    if (event.type !== "test:summary" || event.data.file !== undefined) continue;
    const { tests, passed, skipped, todo } = event.data.counts;
    yield `${JSON.stringify({ passed, failed: tests - passed - skipped - todo, skipped: skipped + todo })}\n`;
  }
}
