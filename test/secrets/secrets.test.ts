import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { isFreshetError } from "../../src/errors/index.ts";
import { parseSecretReference, Secrets } from "../../src/secrets/index.ts";
import { SecretKeepers } from "../support/secret-keepers.ts";

const MINUTE = 60_000;

describe("secrets", () => {
  let keepers: SecretKeepers;
  let folder: string;
  const former = { ...process.env };
  let now = 0;
  const ours = (environment: Record<string, string> = {}) => new Secrets({ environment, now: () => now });

  before(async () => {
    keepers = await SecretKeepers.start();
    folder = await mkdtemp(join(tmpdir(), "freshet-secrets-"));
    Object.assign(process.env, keepers.environment);
  });
  after(async () => {
    for (const name of Object.keys(keepers.environment)) {
      if (former[name] === undefined) delete process.env[name];
      else process.env[name] = former[name];
    }
    await keepers.stop();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    now = 1_000;
    keepers.refusal = undefined;
    keepers.values.clear();
    keepers.asked.length = 0;
  });

  test("are named in four ways, and nothing else is a name", () => {
    const parts = (text: string) => {
      const { text: _, ...others } = parseSecretReference(text) ?? { text };
      return others;
    };
    assert.deepEqual(parts(`\${HOOK_SECRET}`), { provider: "environment", name: "HOOK_SECRET" });
    assert.deepEqual(parts(`\${file:/run/secrets/hook}`), { provider: "file", name: "/run/secrets/hook" });
    assert.deepEqual(parts(`\${ssm:/freshet/prod/hook}`), { provider: "ssm", name: "/freshet/prod/hook" });
    assert.deepEqual(parts(`\${secret:freshet/hpfx#password}`), { provider: "secret", name: "freshet/hpfx", key: "password" });
    const arn = "arn:aws:secretsmanager:eu-west-2:123456789012:secret:hpfx-a1B2c3";
    assert.deepEqual(parts(`\${secret:${arn}}`), { provider: "secret", name: arn });
    for (const text of [
      "HOOK",
      "$HOOK",
      `\${hook}`,
      `x\${HOOK}`,
      `\${A}\${B}`,
      `\${file:run/secrets}`,
      `\${file:/a\nb}`,
      `\${ssm:hook}`,
      `\${secret:}`,
      `\${secret:a b}`,
      `\${vault:a}`,
    ])
      assert.equal(parseSecretReference(text), undefined, text);
  });

  test("are read where they are used: environment, file, Parameter Store, Secrets Manager", async () => {
    await writeFile(join(folder, "hook"), "from-a-file\n");
    keepers.values.set("/freshet/hook", "from-ssm");
    keepers.values.set("freshet/hpfx", JSON.stringify({ user: "anna", password: "from-a-key" }));
    const secrets = ours({ HOOK: "from-the-environment" });
    const values = [`\${HOOK}`, `\${file:${folder}/hook}`, `\${ssm:/freshet/hook}`, `\${secret:freshet/hpfx#password}`, "plain"];
    assert.deepEqual(await Promise.all(values.map((text) => secrets.textOf(text))), [
      "from-the-environment",
      "from-a-file",
      "from-ssm",
      "from-a-key",
      "plain",
    ]);
  });

  test("that are changed are used after a minute, and who gave them is not asked before", async () => {
    keepers.values.set("/freshet/hook", "old");
    const secrets = ours();
    const [first, second] = await Promise.all([secrets.textOf(`\${ssm:/freshet/hook}`), secrets.textOf(`\${ssm:/freshet/hook}`)]);
    assert.deepEqual([first, second], ["old", "old"]);
    keepers.values.set("/freshet/hook", "new");
    now += MINUTE - 1;
    assert.equal(await secrets.textOf(`\${ssm:/freshet/hook}`), "old");
    assert.equal(keepers.asked.length, 1);
    now += 1;
    assert.equal(await secrets.textOf(`\${ssm:/freshet/hook}`), "new");
  });

  test("that somebody refused are asked for at once, and it is said whether they are others", async () => {
    await writeFile(join(folder, "password"), "old");
    const reference = `\${file:${folder}/password}`;
    const secrets = ours({ HOOK: "same" });
    assert.equal(await secrets.textOf(reference), "old");
    assert.equal(await secrets.refused([reference, `\${HOOK}`, "plain", undefined]), false);
    await writeFile(join(folder, "password"), "new");
    assert.equal(await secrets.refused([reference]), true);
    assert.equal(await secrets.textOf(reference), "new");
  });

  test("serve for an hour while who keeps them is away, and not when they are gone or refused", async () => {
    keepers.values.set("freshet/hook", "kept");
    const secrets = ours();
    assert.equal(await secrets.textOf(`\${secret:freshet/hook}`), "kept");
    keepers.refusal = "InternalServiceError";
    now += MINUTE;
    assert.equal(await secrets.textOf(`\${secret:freshet/hook}`), "kept");
    now += 60 * MINUTE;
    await assert.rejects(secrets.textOf(`\${secret:freshet/hook}`), (error) => isFreshetError(error, "unreachable"));
    keepers.refusal = "AccessDeniedException";
    await assert.rejects(
      secrets.textOf(`\${secret:freshet/hook}`),
      (error) =>
        isFreshetError(error, "usage") &&
        /is not for us: found AccessDeniedException.*secretsmanager:GetSecretValue/.test(error.message),
    );
  });

  test("that cannot be had are named with what to do, in one line, and what was found there is not shown", async () => {
    keepers.values.set("freshet/text", "hush-hush");
    keepers.values.set("freshet/other", JSON.stringify({ password: { inner: "hush-hush" } }));
    keepers.values.set("/freshet/empty", "");
    await writeFile(join(folder, "empty"), "\n");
    await writeFile(join(folder, "large"), "hush".repeat(20_000));
    const cases: readonly (readonly [string, RegExp])[] = [
      [`\${NOT_SET}`, /no such environment variable\. Set NOT_SET/],
      [`\${EMPTY}`, /an empty environment variable\. Set EMPTY/],
      [`\${file:${folder}/nothing}`, /found ENOENT, expected a file .*Put it there/],
      [`\${file:${folder}/empty}`, /found an empty text/],
      [`\${file:${folder}/large}`, /found a larger one/],
      [`\${file:${folder}}`, /something that is no file|EISDIR/],
      [`\${ssm:/freshet/nothing}`, /is not there: found ParameterNotFound.*AWS_REGION/],
      [`\${ssm:/freshet/empty}`, /found an empty text/],
      [`\${secret:freshet/nothing}`, /is not there: found ResourceNotFoundException/],
      [`\${secret:freshet/text#key}`, /a text that is no JSON/],
      [`\${secret:freshet/other#user}`, /no such key/],
      [`\${secret:freshet/other#password}`, /a value that is no text/],
      [`\${secret:freshet/other#constructor}`, /no such key/],
    ];
    const secrets = ours({ EMPTY: "" });
    for (const [text, said] of cases) {
      await assert.rejects(secrets.textOf(text), (error) => {
        assert.ok(isFreshetError(error, "usage"), text);
        assert.match(error.message, said);
        assert.ok(error.message.includes(text), error.message);
        assert.doesNotMatch(`${error.message}${error.stack}${String(error.cause)}`, /hush|\n\n/);
        return true;
      });
    }
  });
});
