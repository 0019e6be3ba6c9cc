import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { findPostgres, POSTGRES_COMMAND } from "../../set-up/postgres.mjs";
import { freePort } from "../../src/cli/demo/free-port.ts";

const run = promisify(execFile);
const START_MS = 60_000;

/** Why there is no PostgreSQL, for skipping by name; where REQUIRE_POSTGRES=1 or CI is set, that is a failure instead. */
export function missingPostgres(): string | false {
  if (findPostgres() !== undefined) return false;
  const why = `no PostgreSQL was found: ${POSTGRES_COMMAND} (as root), or name the folder of its programs in FRESHET_POSTGRES_BIN`;
  if (process.env.REQUIRE_POSTGRES === "1" || process.env.CI === "true") throw new Error(why);
  return why;
}

/** A PostgreSQL server of a test file's own, in a temporary folder, on 127.0.0.1 only. */
export class TestPostgres {
  readonly #bin: string;
  readonly #folder: string;
  readonly #port: number;
  /** The server does not run as root. */
  readonly #user: { readonly uid: number; readonly gid: number } | undefined;
  #server: ChildProcess | undefined;
  #databases = 0;

  private constructor(bin: string, folder: string, port: number, user: { uid: number; gid: number } | undefined) {
    this.#bin = bin;
    this.#folder = folder;
    this.#port = port;
    this.#user = user;
  }

  static async start(): Promise<TestPostgres> {
    const bin = findPostgres();
    if (bin === undefined) throw new Error("no PostgreSQL was found");
    const user = process.getuid?.() === 0 ? { uid: await idOf("-u"), gid: await idOf("-g") } : undefined;
    const folder = await mkdtemp(join(tmpdir(), "freshet-postgres-"));
    if (user !== undefined) await chown(folder, user.uid, user.gid);
    const postgres = new TestPostgres(bin, folder, await freePort(0), user);
    const data = join(folder, "data");
    await run(join(bin, "initdb"), ["-D", data, "-U", "postgres", "-E", "UTF8", "--no-locale", "--no-sync", "-A", "trust"], {
      ...user,
      cwd: folder,
    });
    const rules = ["host all guarded 127.0.0.1/32 scram-sha-256", "host all all 127.0.0.1/32 trust"];
    await writeFile(join(data, "pg_hba.conf"), `${rules.join("\n")}\n`);
    await postgres.startServer();
    return postgres;
  }

  /** Starts the server that `kill` or `stopServer` has ended. */
  async startServer(): Promise<void> {
    const settings = [
      "listen_addresses=127.0.0.1",
      `port=${this.#port}`,
      "unix_socket_directories=",
      "max_connections=60",
      // A killed process loses nothing that the system has.
      "fsync=off",
    ];
    const started = Date.now();
    while (Date.now() - started < START_MS) {
      const server = spawn(
        join(this.#bin, "postgres"),
        ["-D", join(this.#folder, "data"), ...settings.flatMap((one) => ["-c", one])],
        { ...this.#user, cwd: this.#folder, stdio: "ignore" },
      );
      this.#server = server;
      // After a kill it ends at once while a child of the one before still lives.
      while (server.exitCode === null && Date.now() - started < START_MS) {
        if (await this.#answers()) return;
        await sleep(50);
      }
      await sleep(100);
    }
    throw new Error(`PostgreSQL did not answer within ${START_MS} ms`);
  }

  /** Ends the server and its children as a power cut would. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (server?.pid === undefined) return;
    const children = await childrenOf(server.pid);
    const ended = once(server, "exit");
    for (const pid of [server.pid, ...children]) killIfThere(pid);
    await ended;
  }

  /** Ends the server; whoever is connected loses the connection. */
  async stopServer(): Promise<void> {
    const server = this.#server;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, "exit");
    server.kill("SIGINT");
    await ended;
  }

  async stop(): Promise<void> {
    await this.stopServer();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** A url of this server. */
  url(database: string, user = "postgres"): string {
    return `postgres://${user}@127.0.0.1:${this.#port}/${database}`;
  }

  /** A new empty database, whose own order of texts is not that of their bytes. */
  async createDatabase(): Promise<string> {
    const name = `ledger${++this.#databases}`;
    const [version] = await this.query("show server_version_num");
    const order = Number(version?.server_version_num) >= 150_000 ? "locale_provider icu icu_locale 'en-US'" : "";
    await this.query(`create database ${name} template template0 ${order}`);
    return this.url(name);
  }

  /** Runs one statement as the administrator. */
  async query(text: string, database = "postgres"): Promise<readonly Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.url(database), connectionTimeoutMillis: 5_000 });
    client.on("error", () => undefined);
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }

  async #answers(): Promise<boolean> {
    try {
      await this.query("select 1");
      return true;
    } catch {
      return false;
    }
  }
}

async function idOf(which: "-u" | "-g"): Promise<number> {
  return Number((await run("id", [which, "postgres"])).stdout);
}

async function childrenOf(parent: number): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    if (Number(stat.replace(/^.*\) /s, "").split(" ")[1]) === parent) found.push(Number(name));
  }
  return found;
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
