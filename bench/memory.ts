import { execFile } from "node:child_process";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { fill } from "./growth.ts";
import { GAP_EVERY, LargeProduct } from "./large-product.ts";

/** What the parts of a worker need over a product of so many granules, each in a process of its own, and how large its files are. */
export async function memory(granules: number, say: (line: string) => void) {
  const product = await LargeProduct.start();
  const slots = Math.ceil(granules / (1 - 1 / GAP_EVERY));
  await fill(product, slots, say);
  await product.ledger.close();
  const rows: Record<string, string | number>[] = [];
  const program = fileURLToPath(new URL("./memory-process.ts", import.meta.url));
  for (const part of ["nothing opened", "ledger", "publisher, 20 publications"]) {
    const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", program, product.folder, part, String(slots)]);
    rows.push({ granules, what: part, ...(JSON.parse(stdout) as Record<string, number>) });
  }
  for (const [what, path] of [
    ["ledger on disk", "ledger.db"],
    ["scans on disk", "scans"],
    ["store on disk", "store"],
  ] as const) {
    const { bytes, files } = await sizeOf(join(product.folder, path));
    rows.push({ granules, what, MiB: Math.round(bytes / 2 ** 20), "bytes a granule": Math.round(bytes / granules), files });
  }
  await rm(product.folder, { recursive: true, force: true });
  return rows;
}

async function sizeOf(path: string): Promise<{ bytes: number; files: number }> {
  const facts = await stat(path);
  if (facts.isFile()) return { bytes: facts.size, files: 1 };
  let bytes = 0;
  let files = 0;
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    bytes += (await stat(join(entry.parentPath, entry.name))).size;
    files++;
  }
  return { bytes, files };
}
