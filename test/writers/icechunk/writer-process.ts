/** Publishes a number of times; each adds one to this writer's count in the root group. Arguments: folder, name, times. */
import { isFreshetError } from "../../../src/errors/index.ts";
import { rootChange, storeIn } from "./a-store.ts";

const [, , folder, name, times] = process.argv as [string, string, string, string, string];
const store = await storeIn(folder);
for (let done = 0; done < Number(times); ) {
  const head = await store.head();
  const bytes = await store.get(head, "zarr.json");
  const attributes = bytes === undefined ? {} : JSON.parse(Buffer.from(bytes).toString()).attributes;
  try {
    const change = rootChange({ ...attributes, [name]: (attributes[name] ?? 0) + 1 });
    await store.publish(head, await store.stage(head, change, `${name} ${done}`));
    done++;
  } catch (error) {
    if (!isFreshetError(error, "conflict")) throw error;
  }
}
process.exit();
