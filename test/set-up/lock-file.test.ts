import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";

interface Entry {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

describe("package-lock.json", async () => {
  const { packages } = JSON.parse(await readFile(new URL("../../package-lock.json", import.meta.url), "utf8")) as {
    packages: Readonly<Record<string, Entry>>;
  };

  test("lists the packages of every platform, as npm ci demands (else: node scripts/complete-lock.ts)", () => {
    const paths = Object.keys(packages);
    const missing = Object.values(packages)
      .flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
      .filter((name) => !paths.some((path) => path.endsWith(`node_modules/${name}`)));
    assert.deepEqual([...new Set(missing)], []);
  });

  test("pins what is installed by checksum and names no registry", () => {
    const loose = Object.entries(packages).filter(([path, { integrity, optional }]) => path !== "" && !integrity && !optional);
    assert.deepEqual(
      loose.map(([path]) => path),
      [],
    );
    assert.deepEqual(
      Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined),
      [],
    );
  });

  test("is for direct dependencies at exact versions", async () => {
    const manifest = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8")) as Readonly<
      Record<"dependencies" | "devDependencies", Readonly<Record<string, string>>>
    >;
    for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
      assert.match(version, /^\d+\.\d+\.\d+$/, name);
      assert.equal(packages[`node_modules/${name}`]?.version, version, name);
    }
  });
});
