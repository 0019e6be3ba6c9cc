import { existsSync } from "node:fs";

/** Opening a ledger makes it; who only looks asks first. */
export async function hasLedger(url: string): Promise<boolean> {
  const path = url.replace(/^sqlite:/i, "");
  if (!/^[a-z][a-z0-9+.-]+:/i.test(path) && !existsSync(path)) return false;
  const { migrateLedger } = await import("../ledger/index.ts");
  return (await migrateLedger(url, { dryRun: true })).from > 0;
}
