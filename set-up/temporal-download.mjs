import { createHash } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./child.mjs";
import { fetchBytes } from "./fetch-bytes.mjs";
import { duration, timed } from "./report.mjs";

/**
 * sha256 of the release archives of version 1.5.1, as the project's release lists them. A platform without a checksum is not
 * downloaded for.
 */
const SHA256 = {
  "linux-x64": "ddc95e08b0b076efd4ea9733a3f488eb7d2be875f8834e616cd2a37358b4852d",
  "linux-arm64": "bd1b0db9f18b051026de8bf6cc1505f2510f14bbb7a8b9a4a91fff46c77454f5",
  "darwin-x64": "bbb73e2a31135abe50a1f1cdb35030c42961df618e8ce9c60ae89f201540c5d9",
  "darwin-arm64": "cca01b7ea35ad56e2a328d9ae596bf716bd22313ef63c7a761c88354457c2415",
};

const LIMITS = { connectMs: 3_000, stallMs: 10_000, wholeMs: 180_000, bytes: 250_000_000 };

/**
 * Puts the official release of the CLI into `folder`.
 *
 * @param {{ version: string, folder: string, env: NodeJS.ProcessEnv }} target
 * @param {{ base?: string, checksums?: Readonly<Record<string, string>>, limits?: typeof LIMITS }} from
 * @returns {Promise<string | undefined>} why it could not, or undefined when it is there
 */
export async function downloadTemporal(
  { version, folder, env },
  { base = "https://github.com", checksums = SHA256, limits = LIMITS } = {},
) {
  if (env.FRESHET_NO_DOWNLOADS === "1") return "the official download: switched off by FRESHET_NO_DOWNLOADS=1";
  const platform = `${process.platform}-${process.arch}`;
  const expected = checksums[platform];
  if (expected === undefined) return `the official download: no checksum is known for ${platform}`;
  const name = `temporal_cli_${version}_${process.platform}_${process.arch === "x64" ? "amd64" : process.arch}.tar.gz`;
  const url = `${base}/temporalio/cli/releases/download/v${version}/${name}`;
  const started = Date.now();
  try {
    await timed(`Temporal CLI ${version}: official download`, () => fetchInto(url, expected, folder, limits));
    return undefined;
  } catch (error) {
    return `the official download, ${url}: ${error.message} (after ${duration(Date.now() - started)})`;
  }
}

async function fetchInto(url, expected, folder, limits) {
  const bytes = await fetchBytes(url, limits);
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== expected) throw new Error(`the checksum is wrong: found sha256 ${found}, expected ${expected}`);
  const staging = `${folder}.download`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  try {
    writeFileSync(join(staging, "archive.tar.gz"), bytes);
    const { code, output } = await run("tar", ["-xzf", "archive.tar.gz", "temporal"], { cwd: staging });
    if (code !== 0) throw new Error(`tar could not unpack it: ${output}`);
    mkdirSync(folder, { recursive: true });
    renameSync(join(staging, "temporal"), join(folder, "temporal"));
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}
