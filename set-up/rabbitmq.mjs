import { existsSync } from "node:fs";
import { join } from "node:path";
import { aptCommand, ensureDebianPackages } from "./debian-packages.mjs";

/** Where Debian puts RabbitMQ; the scripts in PATH switch to a user of its own, these do not. */
const DEBIAN = "/usr/lib/rabbitmq/bin";
const PACKAGES = ["rabbitmq-server"];

/** What gets RabbitMQ where there is none. */
export const RABBITMQ_COMMAND = aptCommand(PACKAGES);

/**
 * The script that starts RabbitMQ: in the folder that FRESHET_RABBITMQ_BIN names, or Debian's.
 *
 * @returns {string | undefined}
 */
export function findRabbitMq(env = process.env, debian = DEBIAN) {
  const script = join(env.FRESHET_RABBITMQ_BIN || debian, "rabbitmq-server");
  return existsSync(script) ? script : undefined;
}

/** For tests only: RabbitMQ. As root on Debian it is installed where it is missing; without it the tests concerned are skipped by name. */
export async function ensureRabbitMq(env = process.env) {
  await ensureDebianPackages({ purpose: "RabbitMQ", packages: PACKAGES, isThere: () => findRabbitMq(env) !== undefined }, env);
}
