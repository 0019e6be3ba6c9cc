import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveSecret } from "../../src/dataset/index.ts";
import { parseSecretReference } from "../../src/dataset/secret.ts";
import { isFreshetError } from "../../src/errors/index.ts";

test("a secret is read where it is used, from the environment", () => {
  const reference = parseSecretReference(`\${HOOK_SECRET}`) ?? assert.fail();
  assert.equal(resolveSecret(reference, { HOOK_SECRET: "hush" }), "hush");
  for (const text of ["HOOK_SECRET", "$HOOK_SECRET", `\${hook}`, `x\${HOOK}`, `\${A}\${B}`])
    assert.equal(parseSecretReference(text), undefined);
});

test("a secret that is not there says which, and what to do", () => {
  for (const environment of [{}, { HOOK_SECRET: "" }]) {
    assert.throws(
      () => resolveSecret({ env: "HOOK_SECRET" }, environment),
      (error) =>
        isFreshetError(error, "usage") && /the secret \$\{HOOK_SECRET\} is not set: found .*Set HOOK_SECRET/.test(error.message),
    );
  }
});
