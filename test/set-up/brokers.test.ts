import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ensureElasticMq, findElasticMq } from "../../set-up/elasticmq.mjs";
import { findRabbitMq } from "../../set-up/rabbitmq.mjs";

const folder = mkdtempSync(join(tmpdir(), "freshet-find-brokers-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function put(...path: string[]): string {
  const file = join(folder, ...path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  return file;
}

test("RabbitMQ's own script is found where it is named, or where Debian has it", () => {
  const named = put("named", "rabbitmq-server");
  const debian = put("debian", "rabbitmq-server");
  assert.equal(findRabbitMq({ FRESHET_RABBITMQ_BIN: join(folder, "named") }, join(folder, "debian")), named);
  assert.equal(findRabbitMq({}, join(folder, "debian")), debian);
  assert.equal(findRabbitMq({}, join(folder, "nothing")), undefined);
});

test("ElasticMQ is there when its jars and a Java are", async () => {
  const java = put("bin", "java");
  const env = { PATH: join(folder, "bin"), FRESHET_CACHE: join(folder, "cache"), FRESHET_NO_SYSTEM_PACKAGES: "1" };
  assert.equal(findElasticMq(env), undefined);
  mkdirSync(join(folder, "cache", "elasticmq-1.7.1"), { recursive: true });
  assert.deepEqual(findElasticMq(env), { java, jars: join(folder, "cache", "elasticmq-1.7.1") });
  assert.equal(findElasticMq({ ...env, PATH: join(folder, "nothing") }), undefined);
});

test("a Maven that fails leaves nothing behind that looks like ElasticMQ", async () => {
  put("broken", "java");
  put("broken", "mvn");
  const cache = join(folder, "another-cache");
  const env = { PATH: `${join(folder, "broken")}:/bin:/usr/bin`, FRESHET_CACHE: cache, FRESHET_NO_SYSTEM_PACKAGES: "1" };
  await ensureElasticMq(env);
  assert.equal(findElasticMq(env), undefined);
});
