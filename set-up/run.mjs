// `node set-up/run.mjs VERB ARGS…` makes the machine ready for VERB, then does it. Plain JavaScript for any Node from 18 on: this is
// what runs before the right Node is there.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join, resolve } from "node:path";
import { endAll } from "./child.mjs";
import { ensureElasticMq } from "./elasticmq.mjs";
import { describe, SetUpFailure } from "./failure.mjs";
import { releaseAll } from "./lock.mjs";
import { ensureNode } from "./node.mjs";
import { ensurePackages } from "./packages.mjs";
import { local, project, withFirstInPath } from "./places.mjs";
import { ensurePostgres } from "./postgres.mjs";
import { ensurePython } from "./python.mjs";
import { ensureRabbitMq } from "./rabbitmq.mjs";
import { writeRecord } from "./record.mjs";
import { duration, endLine, say } from "./report.mjs";
import { ensureTemporal } from "./temporal.mjs";
import { ensureVersitygw } from "./versitygw.mjs";

const READERS = { purpose: "readers", requirements: join(project, "test/python/requirements.txt"), versions: ["3.13", "3.12"] };
const ORACLE = { purpose: "oracle", versions: ["3.12", "3.13"] };
const PEERS = { purpose: "bench", versions: ["3.12", "3.13"] };

/** What each verb needs beyond Node and the npm packages, and what it then runs: arguments for Node 24, in the project's folder. */
const VERBS = {
  demo: { needs: ["temporal"], command: (args) => ["bin/freshet.mjs", "demo", ...args] },
  test: { needs: ["temporal", "python", "postgres", "brokers", "s3"], command: testCommand },
  check: { needs: [], command: (args) => ["scripts/check.ts", ...args] },
  fix: { needs: [], command: (args) => ["node_modules/@biomejs/biome/bin/biome", "check", "--write", ...args] },
  fuzz: { needs: [], command: (args) => ["scripts/fuzz.ts", ...args] },
  corpus: { needs: [], command: (args) => ["scripts/corpus.ts", ...args] },
  crashes: { needs: ["temporal", "postgres"], command: (args) => ["scripts/crashes.ts", ...args] },
  brokers: { needs: ["temporal", "brokers"], command: (args) => ["scripts/brokers.ts", ...args] },
  model: { needs: [], command: (args) => ["scripts/model.ts", ...args] },
  readers: { needs: ["python"], command: (args) => ["scripts/readers.ts", ...args] },
  "bench-scan": {
    needs: ["peers"],
    command: (args, found) => ["scripts/bench-scan.ts", "--python", found.peersPython, ...args],
  },
  bench: {
    needs: ["temporal"],
    needsWith: { "--peers": ["peers"] },
    command: (args, found) => [
      "bench/main.ts",
      ...args,
      ...(found.peersPython === undefined ? [] : ["--python", found.peersPython]),
    ],
  },
  all: { needs: ["temporal", "python", "postgres", "brokers", "s3"], command: undefined },
  oracle: { needs: ["oracle"], command: undefined },
};

/** node:test over the files named, or over all; its options are passed on. */
function testCommand(args) {
  const totals = join(local, "test-totals.json");
  mkdirSync(local, { recursive: true });
  rmSync(totals, { force: true });
  return [
    "--test",
    // Two at a time: test files start servers and readers of their own, and two cores are what CI has.
    "--test-concurrency=2",
    "--test-force-exit",
    `--test-timeout=${15 * 60_000}`,
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    "--test-reporter=./scripts/test-totals.ts",
    `--test-reporter-destination=${totals}`,
    ...args,
    ...(args.some((arg) => !arg.startsWith("-")) ? [] : ["test/**/*.test.ts"]),
  ];
}

let stopped = false;

async function main([verb = "all", ...args]) {
  const chosen = VERBS[verb];
  if (chosen === undefined) {
    throw new SetUpFailure(`"${verb}" is not something that set-up knows.`, {
      remedy: `use one of: ${Object.keys(VERBS).join(", ")}.`,
    });
  }
  const started = Date.now();
  const more = Object.entries(chosen.needsWith ?? {}).flatMap(([option, needs]) => (args.includes(option) ? needs : []));
  const found = await prepare([...chosen.needs, ...more], args);
  if (chosen.command === undefined) {
    say(`ready, ${duration(Date.now() - started)}`);
    return 0;
  }
  return hand(found.node, chosen.command(args, found));
}

async function prepare(needs, args) {
  const node = await ensureNode();
  await ensurePackages(node.path);
  const found = { node: node.path };
  if (needs.includes("temporal")) found.temporal = await ensureTemporal();
  if (needs.includes("python")) found.python = await ensurePython(READERS);
  if (needs.includes("postgres")) await ensurePostgres();
  if (needs.includes("brokers")) {
    await ensureElasticMq();
    await ensureRabbitMq();
  }
  if (needs.includes("s3")) await ensureVersitygw();
  if (needs.includes("oracle")) found.oraclePython = await ensurePython({ ...ORACLE, requirements: oracleRequirements(args) });
  writeRecord(found);
  // Nobody else asks for it: it is no part of the record.
  return needs.includes("peers")
    ? { ...found, peersPython: await ensurePython({ ...PEERS, requirements: peersRequirements(args) }) }
    : found;
}

function peersRequirements(args) {
  const folder = args[args.indexOf("--peers") + 1];
  const file = join(folder ?? "", "requirements.txt");
  if (folder && existsSync(file)) return resolve(file);
  throw new SetUpFailure("the other scanners' requirements are not there.", {
    tried: [folder ? `${file}: no such file` : "no folder was named"],
    remedy: "name the folder that has make_granules.py, peers.py and requirements.txt first: npm run bench:scan -- FOLDER",
  });
}

function oracleRequirements([file]) {
  if (file && existsSync(file)) return resolve(file);
  throw new SetUpFailure("the oracle's requirements are not there.", {
    tried: [file ? `${file}: no such file` : "no file was named"],
    remedy: "name the oracle's requirements.txt: node set-up/run.mjs oracle FILE",
  });
}

/** Hands over to the real work, in the foreground, and ends as it ends. */
function hand(node, args) {
  return new Promise((resolveExit, reject) => {
    const child = spawn(node, ["--disable-warning=ExperimentalWarning", ...args], {
      cwd: project,
      stdio: "inherit",
      env: withFirstInPath(dirname(node)),
    });
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
      process.removeAllListeners(signal);
      // A terminal sends Ctrl-C to the child as well; sent on from here it would arrive twice.
      process.on(signal, () => (signal === "SIGINT" && process.stdin.isTTY ? undefined : child.kill(signal)));
    }
    child.on("error", reject);
    child.on("close", (code, signal) => resolveExit(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, async () => {
    if (stopped) return;
    stopped = true;
    endLine();
    await endAll();
    releaseAll();
    say("stopped; the same command goes on from here");
    process.exit(128 + constants.signals[signal]);
  });
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  // Ended children fail their step while the machine is being left in order: the signal's handler has the last word.
  if (!stopped) {
    releaseAll();
    console.error(error instanceof SetUpFailure ? describe(error) : error);
    process.exitCode = 1;
  }
}
