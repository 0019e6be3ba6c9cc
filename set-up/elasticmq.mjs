import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { run } from "./child.mjs";
import { aptCommand, ensureDebianPackages } from "./debian-packages.mjs";
import { withLock } from "./lock.mjs";
import { cacheRoot } from "./places.mjs";
import { say, timed } from "./report.mjs";

/** Speaks as Amazon SQS does; the last version that Java 17 runs. */
const VERSION = "1.7.1";
/** A version that copies what it has resolved, whatever Maven's own default is. */
const COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
const LIMIT_MS = 10 * 60_000;
const PACKAGES = ["default-jre-headless", "maven"];

const PROJECT = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>freshet</groupId>
  <artifactId>elasticmq</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.elasticmq</groupId>
      <artifactId>elasticmq-server_2.13</artifactId>
      <version>${VERSION}</version>
    </dependency>
  </dependencies>
</project>
`;

/** What gets ElasticMQ where there is none. */
export const ELASTICMQ_COMMAND = `${aptCommand(PACKAGES)}, then npm run set-up`;

/**
 * The Java that runs ElasticMQ and the folder of its jars, where both are there.
 *
 * @returns {{ java: string, jars: string } | undefined}
 */
export function findElasticMq(env = process.env) {
  const java = findInPath("java", env);
  const jars = join(cacheRoot(env), `elasticmq-${VERSION}`);
  return java !== undefined && existsSync(jars) ? { java, jars } : undefined;
}

/**
 * For tests only: ElasticMQ by Maven, which keeps what it has got, so an interrupted run goes on from there. As root on Debian, Java
 * and Maven are installed where they are missing; without them the tests concerned are skipped by name.
 */
export async function ensureElasticMq(env = process.env) {
  if (findElasticMq(env) !== undefined) return;
  const isThere = () => ["java", "mvn"].every((program) => findInPath(program, env) !== undefined);
  await ensureDebianPackages({ purpose: "Java and Maven", packages: PACKAGES, isThere }, env);
  if (!isThere()) return;
  const folder = join(cacheRoot(env), `elasticmq-${VERSION}`);
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(folder)) return;
    await timed(`ElasticMQ ${VERSION}: 39 jars, 37 MB, by Maven`, () => fetchJars(folder, env));
  });
}

async function fetchJars(folder, env) {
  const staging = `${folder}.build`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  try {
    writeFileSync(join(staging, "pom.xml"), PROJECT);
    const args = ["--quiet", "--batch-mode", "--strict-checksums", COPY, "-DoutputDirectory=jars", "-DincludeScope=runtime"];
    const { code, output } = await run("mvn", args, { cwd: staging, env, limitMs: LIMIT_MS });
    const jars = join(staging, "jars");
    if (code === 0 && readdirSync(jars).some((name) => name.startsWith("elasticmq-server_"))) renameSync(jars, folder);
    else say(`ElasticMQ could not be had, its tests will be skipped: ${output.split("\n").slice(-2).join(" / ")}`);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function findInPath(name, env) {
  return (env.PATH ?? "")
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}
