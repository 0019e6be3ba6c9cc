import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { missingRabbitMq, TestRabbitMq } from "../support/rabbitmq.ts";
import { SecretKeepers } from "../support/secret-keepers.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { BrokerWorld, until } from "./broker-world.ts";
import { StarterProcess } from "./starter-process.ts";

const EXCHANGE = "xpublic";
const FIRST = "first-hush/pass+word";
const SECOND = "second-hush/pass+word";
const USER = "hush-user";

describe("secrets, with a broker that wants a password", { skip: missingTemporal() || missingRabbitMq() }, () => {
  let broker: TestRabbitMq;
  let world: BrokerWorld;
  let keepers: SecretKeepers;
  let folder: string;

  before(async () => {
    [broker, world, keepers] = await Promise.all([TestRabbitMq.start(), BrokerWorld.start(), SecretKeepers.start()]);
    folder = await mkdtemp(join(tmpdir(), "freshet-secret-files-"));
    await broker.withChannel((channel) => channel.assertExchange(EXCHANGE, "topic", { durable: true }));
    await broker.control("add_user", USER, FIRST);
    await broker.control("set_permissions", USER, ".*", ".*", ".*");
  });
  after(async () => {
    await broker?.stop();
    await world?.stop();
    await keepers?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test("are used, changed without a restart, and stand in no log, no payload, no ledger, no store, no error", async () => {
    const file = join(folder, "password");
    await writeFile(file, FIRST);
    keepers.values.set("freshet/hpfx", JSON.stringify({ user: USER }));
    keepers.values.set("/freshet/broker", broker.url);
    const who = `broker: "\${ssm:/freshet/broker}", user: "\${secret:freshet/hpfx#user}", password: "\${file:${file}}"`;
    await world.apply(`amqp: { ${who}, queue: q_tests, topics: ["v03.granules.#"] }`);
    const names = await world.putAll(4);
    const publish = (some: readonly string[]): Promise<void> =>
      broker.publish(
        EXCHANGE,
        some.map((name) => ({
          topic: "v03.granules.made",
          body: JSON.stringify({ pubTime: "20200101T000000.0", baseUrl: world.agency.url, relPath: name }),
        })),
      );

    const starter = new StarterProcess(["starter", "amqp"], { ...world.environment, ...keepers.environment });
    await starter.says("messages are taken");
    await publish(names.slice(0, 2));
    await until(async () => (await world.published()) === 2, "two are published");

    // Another password, and the connection of the old one is gone.
    await broker.control("change_password", USER, SECOND);
    await writeFile(file, SECOND);
    await broker.control("close_all_connections", "the password is another");
    await publish(names.slice(2));
    await until(async () => (await world.published()) === 4, "the others are published by the same process");
    assert.equal(await starter.interrupt(), 130);

    await writeFile(file, "third-hush-wrong");
    const refused = new StarterProcess(["starter", "amqp"], { ...world.environment, ...keepers.environment });
    assert.equal(await refused.ended(), 1);
    assert.match(refused.said.join(" "), /the broker does not let us in.*amqp.password/);

    const logs = [...starter.log, ...refused.log].map((line) => JSON.stringify(line));
    const said = Buffer.from([...logs, ...starter.said, ...refused.said].join("\n"));
    const places: (readonly [string, Buffer])[] = [["the logs", said]];
    // The ledger, the scans, the store, and all that Temporal keeps.
    for (const entry of await readdir(world.home, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) places.push([path, await readFile(path)]);
    }
    assert.ok(places.some(([path]) => path.endsWith("temporal.db")) && places.length > 20, `${places.length} places`);
    assert.ok(
      places.some(([, bytes]) => bytes.includes("secret:freshet/hpfx")),
      "the name of a secret is kept, so that a secret would be found",
    );
    const hidden = [FIRST, SECOND, "third-hush-wrong", USER, new URL(broker.url).host];
    for (const secret of hidden) {
      for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64").replace(/=+$/, "")]) {
        const found = places.filter(([, bytes]) => bytes.includes(form)).map(([path]) => path);
        assert.deepEqual(found, [], form);
      }
    }
  });
});
