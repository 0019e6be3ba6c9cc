/** Appends step after step, again where another was first. Arguments: folder, prefix, source's name and time, from, to. */
import { isFreshetError } from "../../../src/errors/index.ts";
import { growth, openGrowing, publishChange } from "./growing-store.ts";

const [, , folder, prefix, name, lastModified, from, to] = process.argv as string[];
const source = { name: name as string, lastModifiedMs: Number(lastModified) };
const growing = { folder: folder as string, prefix: prefix as string, arrays: 1, split: 10, source };
const store = await openGrowing(growing);
for (let at = Number(from); at < Number(to); ) {
  try {
    await publishChange(store, growth(growing, at, at + 1), `step ${at}`);
    at++;
  } catch (error) {
    if (!isFreshetError(error, "conflict")) throw error;
  }
}
process.exit();
