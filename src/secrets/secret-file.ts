import { open } from "node:fs/promises";
import { FreshetError } from "../errors/index.ts";
import type { SecretReference } from "./secret-reference.ts";

/** A secret is a password, a token, a key; beyond this it is something else. */
const MOST_BYTES = 64 * 1024;

/** The content of a secret's file, without the line break at its end. @throws FreshetError `usage` when it cannot be read. */
export async function readSecretFile({ text, name }: SecretReference): Promise<string> {
  const refused = (found: string): FreshetError =>
    new FreshetError("usage", `the secret ${text} cannot be read`, {
      found,
      expected: `a file of at most ${MOST_BYTES} bytes of text that this process may read`,
      remedy: "Put it there, or correct the path in the dataset file",
    });
  let file: Awaited<ReturnType<typeof open>> | undefined;
  try {
    file = await open(name, "r");
    if (!(await file.stat()).isFile()) throw refused("something that is no file");
    const buffer = Buffer.alloc(MOST_BYTES + 1);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    if (bytesRead > MOST_BYTES) throw refused("a larger one");
    return buffer.toString("utf8", 0, bytesRead).replace(/\r?\n$/, "");
  } catch (error) {
    throw error instanceof FreshetError ? error : refused((error as NodeJS.ErrnoException).code ?? "no file");
  } finally {
    await file?.close();
  }
}
