import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { FreshetError } from "../../errors/index.ts";

const MOST_BYTES = 1024 * 1024;

/** A user and a password. */
export interface Login {
  readonly user: string;
  readonly password: string;
}

/**
 * The login of a machine in the file that `NETRC` names, or `~/.netrc`; undefined where there is no such file, or it does not name the machine.
 * Its `default` is for no machine in particular, and not used.
 * @throws FreshetError `usage` for a file that cannot be read; nothing of it is shown.
 */
export async function loginOf(hostname: string, environment: NodeJS.ProcessEnv = process.env): Promise<Login | undefined> {
  const path = environment.NETRC ?? join(homedir(), ".netrc");
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new FreshetError("usage", "the file with logins cannot be read", {
      found: (error as NodeJS.ErrnoException).code,
      path,
      remedy: "Let this process read it, or name another one (NETRC)",
    });
  }
  return text.length > MOST_BYTES ? undefined : parseNetrc(text, hostname);
}

/** The login of a machine in a netrc's text. Pure. */
export function parseNetrc(text: string, hostname: string): Login | undefined {
  const words = withoutMacros(text).match(/\S+/g) ?? [];
  for (let at = 0; at < words.length; at++) {
    if (words[at] !== "machine" || words[at + 1] !== hostname) continue;
    let user: string | undefined;
    let password = "";
    for (at += 2; at < words.length && words[at] !== "machine" && words[at] !== "default"; at += 2) {
      if (words[at] === "login") user = words[at + 1];
      if (words[at] === "password") password = words[at + 1] ?? "";
    }
    return user === undefined ? undefined : { user, password };
  }
  return undefined;
}

/** A macro lasts until an empty line; a comment, which begins a line, to its end. */
function withoutMacros(text: string): string {
  return text
    .replace(/\r\n/g, "\n")
    .replace(/^[ \t]*macdef[^\n]*\n(?:[^\n]+\n)*/gm, "\n")
    .replace(/^[ \t]*#[^\n]*$/gm, "");
}
