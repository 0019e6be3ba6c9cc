import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { findPython } from "../../set-up/find-python.mjs";

describe("set-up's Python", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "freshet set-up "));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function program(path: string, script: string): Promise<string> {
    const full = join(folder, path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, `#!/bin/sh\n${script}\n`);
    await chmod(full, 0o755);
    return full;
  }
  const environment = () => ({ PATH: join(folder, "bin"), PYENV_ROOT: join(folder, "pyenv") });

  test("is pyenv's own version where the shim in PATH fails", async () => {
    await program("bin/python3.13", 'echo "pyenv: python3.13: command not found" >&2; exit 127');
    await program("pyenv/versions/3.13.0/bin/python", "echo 3.13.0");
    const newest = await program("pyenv/versions/3.13.10/bin/python", "echo 3.13.10");
    assert.deepEqual(await findPython(["3.13", "3.12"], environment()), { path: newest, version: "3.13.10" });
  });

  test("is the second-best version where the best is nowhere", async () => {
    await program("bin/python3", "echo 3.12.4");
    assert.deepEqual(await findPython(["3.13", "3.12"], environment()), { path: "python3", version: "3.12.4" });
  });

  test("is none, with what every candidate said", async () => {
    await program("bin/python3", "echo 3.11.7");
    await program("bin/python3.12", 'echo "ModuleNotFoundError: No module named ensurepip" >&2; exit 1');
    const answer = await findPython(["3.13", "3.12"], environment());
    assert.ok("tried" in answer);
    assert.deepEqual(answer.tried, [
      "python3.13: spawn python3.13 ENOENT",
      "python3.12: ModuleNotFoundError: No module named ensurepip",
      "python3: is 3.11.7",
      "python: spawn python ENOENT",
    ]);
  });

  test("is the one that FRESHET_PYTHON names, and no other", async () => {
    await program("bin/python3.13", "echo 3.13.1");
    const answer = await findPython(["3.13"], { ...environment(), FRESHET_PYTHON: join(folder, "none") });
    assert.ok("tried" in answer && answer.tried.length === 1);
  });
});
