import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DeleteObjectCommand, PutBucketPolicyCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { findVersitygw, VERSITYGW_COMMAND } from "../../set-up/versitygw.mjs";
import { freePort } from "../../src/cli/demo/free-port.ts";
import type { S3Connection } from "../../src/storage/index.ts";
import { endChild } from "./temporal-server.ts";

const START_MS = 30_000;

/** Why there is no S3, for skipping by name; where REQUIRE_S3=1 or CI is set, that is a failure instead. */
export function missingS3(): string | false {
  if (findVersitygw() !== undefined) return false;
  const why = `no versitygw was found: npm run set-up, or ${VERSITYGW_COMMAND}, or name the program in FRESHET_VERSITYGW`;
  if (process.env.REQUIRE_S3 === "1" || process.env.CI === "true") throw new Error(why);
  return why;
}

/** An S3 server over a folder, on 127.0.0.1, for one test file. */
export class TestS3 {
  /** `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  /** With the credentials of the environment. */
  readonly connection: S3Connection;
  readonly client: S3Client;
  /** What a process needs in its environment to sign. `start` sets it for this one. */
  readonly environment: Readonly<Record<string, string>>;
  /** Buckets are folders in it, and objects files. */
  readonly folder: string;
  readonly #server: ChildProcess;

  private constructor(
    endpoint: string,
    server: ChildProcess,
    folder: string,
    { key, secret }: { readonly key: string; readonly secret: string },
  ) {
    this.endpoint = endpoint;
    this.folder = folder;
    this.#server = server;
    this.connection = { endpoint, region: "us-east-1", anonymous: false, pathStyle: true };
    this.environment = { AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret, AWS_EC2_METADATA_DISABLED: "true" };
    const credentials = { accessKeyId: key, secretAccessKey: secret };
    this.client = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials });
  }

  static async start(): Promise<TestS3> {
    const program = findVersitygw();
    if (program === undefined) throw new Error("no versitygw was found");
    const root = await mkdtemp(join(tmpdir(), "freshet-s3-"));
    const folder = join(root, "buckets");
    await mkdir(folder);
    const port = await freePort(0);
    const credentials = { key: "freshet-test", secret: "a-secret-of-tests" };
    const server = spawn(program, ["--port", `127.0.0.1:${port}`, "--quiet", "posix", folder], {
      cwd: root,
      env: { ...process.env, ROOT_ACCESS_KEY: credentials.key, ROOT_SECRET_KEY: credentials.secret },
      stdio: "ignore",
    });
    // A test that dies does not leave it behind.
    process.once("exit", () => server.kill());
    const s3 = new TestS3(`http://127.0.0.1:${port}`, server, folder, credentials);
    Object.assign(process.env, s3.environment);
    const started = Date.now();
    while (Date.now() - started < START_MS) {
      if (server.exitCode !== null) throw new Error(`versitygw ended with ${server.exitCode}`);
      if (
        await fetch(s3.endpoint).then(
          () => true,
          () => false,
        )
      )
        return s3;
      await sleep(30);
    }
    await s3.stop();
    throw new Error(`versitygw did not answer within ${START_MS} ms`);
  }

  /** Makes a bucket; a public one is read without a signature. */
  async createBucket(name: string, { isPublic = false } = {}): Promise<void> {
    await mkdir(join(this.folder, name));
    if (!isPublic) return;
    const Resource = [`arn:aws:s3:::${name}`, `arn:aws:s3:::${name}/*`];
    const Statement = [{ Effect: "Allow", Principal: "*", Action: ["s3:GetObject", "s3:ListBucket"], Resource }];
    await this.client.send(
      new PutBucketPolicyCommand({ Bucket: name, Policy: JSON.stringify({ Version: "2012-10-17", Statement }) }),
    );
  }

  async put(bucket: string, key: string, content: Uint8Array | { readonly copyOf: string }): Promise<void> {
    const Body = content instanceof Uint8Array ? content : await readFile(content.copyOf);
    await this.client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body }));
  }

  async remove(bucket: string, key: string): Promise<void> {
    await this.client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
  }

  async stop(): Promise<void> {
    this.client.destroy();
    await endChild(this.#server);
    await rm(join(this.folder, ".."), { recursive: true, force: true });
  }
}
