import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = join(root, "infra/aws");
const files = readdirSync(folder).filter((name) => name.endsWith(".tf"));
/** Comments say nothing to Terraform. */
const text = files.map((name) => readFileSync(join(folder, name), "utf8").replace(/^\s*#.*$/gm, "")).join("\n");

/** What readers have no part in: it writes to buckets. */
const WRITERS = /storage\/s3-(bucket|folder)\.ts$/;

/** The actions that each command of the AWS SDK needs (service authorization reference). */
const ACTIONS: Readonly<Record<string, string | readonly string[]>> = {
  GetQueueAttributes: "sqs:GetQueueAttributes",
  GetQueueUrl: "sqs:GetQueueUrl",
  ReceiveMessage: "sqs:ReceiveMessage",
  SendMessage: "sqs:SendMessage",
  Publish: "sns:Publish",
  DeleteMessageBatch: "sqs:DeleteMessage",
  ChangeMessageVisibilityBatch: "sqs:ChangeMessageVisibility",
  GetObject: "s3:GetObject",
  HeadObject: "s3:GetObject",
  ListObjectsV2: "s3:ListBucket",
  PutObject: "s3:PutObject",
  CopyObject: ["s3:GetObject", "s3:PutObject"],
  DeleteObject: "s3:DeleteObject",
  DeleteObjects: "s3:DeleteObject",
  CreateMultipartUpload: "s3:PutObject",
  UploadPart: "s3:PutObject",
  CompleteMultipartUpload: "s3:PutObject",
  AbortMultipartUpload: "s3:AbortMultipartUpload",
  ListParts: "s3:ListMultipartUploadParts",
  ListMultipartUploads: "s3:ListBucketMultipartUploads",
  GetParameter: "ssm:GetParameter",
  GetSecretValue: "secretsmanager:GetSecretValue",
};

/** The actions that a policy document allows, those of its sources included. */
function actionsOf(document: string): string[] {
  const start = text.indexOf(`data "aws_iam_policy_document" "${document}"`);
  assert.ok(start >= 0, document);
  const body = text.slice(start, text.indexOf("\n}\n", start));
  const own = [...body.matchAll(/actions\s*=\s*\[([^\]]*)\]/g)].flatMap(([, list]) => [...(list ?? "").matchAll(/"([^"]+)"/g)]);
  const sources = [...body.matchAll(/data\.aws_iam_policy_document\.(\w+)\.json/g)].flatMap(([, name]) =>
    actionsOf(name as string),
  );
  return [...new Set([...own.map(([, action]) => action as string), ...sources])].sort();
}

function commandsOf(folders: readonly string[], without?: RegExp): Set<string> {
  const called = new Set<string>();
  for (const name of folders) {
    for (const entry of readdirSync(join(root, "src", name), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      if (without?.test(path) === true) continue;
      const source = readFileSync(path, "utf8");
      for (const [, command] of source.matchAll(/new (?:sdk\.)?([A-Z]\w+)Command\(/g)) called.add(command as string);
    }
  }
  return called;
}

describe("infra/aws", () => {
  test("each part may do what its code calls, and nothing else", () => {
    const needed = (folders: readonly string[], without?: RegExp) => {
      const actions = [...commandsOf(folders, without)].flatMap(
        (command) => ACTIONS[command] ?? assert.fail(`what does ${command} need?`),
      );
      return [...new Set(actions)].sort();
    };
    assert.deepEqual(actionsOf("starter"), needed(["starters/delivery", "secrets"]));
    assert.deepEqual(actionsOf("worker"), needed(["storage", "secrets", "notify"]));
    assert.deepEqual(actionsOf("reader"), needed(["storage"], WRITERS));
    assert.doesNotMatch(text, /actions\s*=\s*\[[^\]]*\*/, "no action with a star");
  });

  test("what is referred to is declared, and what is declared as a variable or local is used", () => {
    const declared = new Set<string>();
    for (const [, kind, type, name] of text.matchAll(/^(resource|data) "(\w+)" "(\w+)"/gm)) {
      declared.add(kind === "data" ? `data.${type}.${name}` : `${type}.${name}`);
    }
    for (const [, name] of text.matchAll(/^variable "(\w+)"/gm)) declared.add(`var.${name}`);
    const locals = /^locals \{\n([\s\S]*?)^\}/m.exec(text)?.[1] ?? "";
    for (const [, name] of locals.matchAll(/^ {2}(\w+)\s+=/gm)) declared.add(`local.${name}`);
    const referred = new Set(
      [...text.matchAll(/\b((?:data\.)?aws_\w+\.\w+|var\.\w+|local\.\w+)/g)].map(([, name]) => name as string),
    );
    assert.ok(declared.size > 25, `${declared.size}`);
    assert.deepEqual(
      [...referred].filter((name) => !declared.has(name)),
      [],
    );
    const unused = [...declared].filter((name) => /^(var|local)\./.test(name) && !referred.has(name));
    assert.deepEqual(unused, []);
  });

  test("the README names every output", () => {
    const page = readFileSync(join(root, "infra/README.md"), "utf8");
    for (const [, name] of text.matchAll(/^output "(\w+)"/gm)) assert.ok(page.includes(`\`${name}\``), name);
  });

  test("terraform finds it well formed and formatted", { skip: missingTerraform() }, async () => {
    await terraform(folder, "fmt", "-check", "-recursive");
  });

  test("terraform finds it valid, and its own tests pass", { skip: missingTerraform() || missingProvider() }, async () => {
    const copy = mkdtempSync(join(tmpdir(), "freshet-terraform-"));
    try {
      cpSync(folder, copy, { recursive: true });
      await terraform(copy, "init", "-backend=false", "-input=false", `-plugin-dir=${process.env.FRESHET_TERRAFORM_PLUGINS}`);
      await terraform(copy, "validate");
      assert.match(await terraform(copy, "test", "-no-color"), /[1-9]\d* passed, 0 failed/);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });
});

function missingTerraform(): string | false {
  try {
    execFileSync("terraform", ["version"], { stdio: "ignore" });
    return false;
  } catch {
    return "no terraform is in PATH: developer.hashicorp.com/terraform/install";
  }
}

function missingProvider(): string | false {
  return (
    process.env.FRESHET_TERRAFORM_PLUGINS === undefined &&
    "FRESHET_TERRAFORM_PLUGINS names no folder with the provider (terraform providers mirror FOLDER)"
  );
}

async function terraform(cwd: string, ...words: readonly string[]): Promise<string> {
  const env = { ...process.env, TF_IN_AUTOMATION: "1", CHECKPOINT_DISABLE: "1" };
  const { stdout } = await promisify(execFile)("terraform", [...words], { cwd, env, timeout: 240_000 });
  return stdout;
}
