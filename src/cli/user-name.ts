import { userInfo } from "node:os";

/** Who gives the command, where nobody says so: the user's name, or its number where it has none (containers). */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? "?"}`;
  }
}
