import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { netcdf3Bytes } from "../formats/netcdf3/netcdf3-bytes.ts";
import { freshet } from "./cli.ts";

const data = (name: string): string => fileURLToPath(new URL(`../data/${name}`, import.meta.url));
const AIR = data("netcdf4/air.nc");

let folder = "";
/** A file that is refused. */
let bad = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "freshet-cli-"));
  bad = join(folder, "bad.nc");
  await writeFile(bad, netcdf3Bytes({ variables: [{ name: "var0", type: "int8", dimensions: [5] }] }).bytes);
});
after(() => rm(folder, { recursive: true, force: true }));

const json = async (name: string) => JSON.parse(await readFile(join(folder, name), "utf8"));

describe("freshet scan", { concurrency: 2 }, () => {
  test("prints a table of the variables", async () => {
    const { code, stdout, stderr } = await freshet(["scan", AIR]);
    assert.deepEqual([code, stderr], [0, ""]);
    const lines = stdout.split("\n");
    assert.match(lines[0] ?? "", /^file:\/\/\/.*\/air\.nc$/);
    assert.match(lines[1] ?? "", /^HDF5, 75\.8 kB; 4 variables: 4 referenced; \d+ reads?, [\d.]+ kB, \d\.\d\d s$/);
    assert.match(stdout, /^ {2}name {2}shape .* outcome$/m);
    assert.match(stdout, /^ {2}air {3}time 124, lat 11, lon 21 {2}124×11×21 {2}int16 .* 57\.3 kB {2}referenced$/m);
  });

  test("writes references and a report, and loads what it is asked to", async () => {
    const refs = join(folder, "refs.json");
    const report = join(folder, "report.json");
    const { code, stderr } = await freshet([
      "scan",
      AIR,
      "--refs",
      refs,
      "--report",
      report,
      "--load",
      "coordinates",
      "--drop",
      "lon",
    ]);
    assert.deepEqual([code, stderr], [0, ""]);
    const found = (await json("refs.json")) as { version: number; refs: Record<string, unknown> };
    assert.equal(found.version, 1);
    assert.deepEqual((found.refs["air/0.0.0"] as unknown[])[0], `file://${AIR}`);
    assert.match(found.refs["lat/0"] as string, /^base64:/);
    assert.equal(found.refs["lon/.zarray"], undefined);
    assert.deepEqual(await json("report.json"), {
      file: { outcome: "scanned", reason: "" },
      variables: [
        { path: "/lat", outcome: "inlined", reason: "its values are loaded" },
        { path: "/air", outcome: "referenced", reason: "" },
        { path: "/lon", outcome: "refused", reason: "dropped by request" },
        { path: "/time", outcome: "inlined", reason: "its values are loaded" },
      ],
    });
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.includes("partial")),
      [],
    );
  });

  test("refers to everything where nothing is to be loaded", async () => {
    const refs = join(folder, "plain.json");
    await freshet(["scan", AIR, "--refs", refs]);
    const { refs: found } = (await json("plain.json")) as { refs: Record<string, unknown> };
    assert.ok(Array.isArray(found["lat/0"]) && Array.isArray(found["time/0"]));
  });

  test("refuses a file with one line, exit 1, and says so in the report", async () => {
    const report = join(folder, "refused.json");
    const { code, stdout, stderr } = await freshet(["scan", bad, "--refs", join(folder, "none.json"), "--report", report]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /^freshet: variable "var0" names a dimension that is not there: found id 5, .*\n$/);
    assert.equal(stderr.split("\n").length, 2);
    const { file, variables } = (await json("refused.json")) as {
      file: { outcome: string; reason: string };
      variables: unknown[];
    };
    assert.deepEqual([file.outcome, `freshet: ${file.reason}\n`, variables], ["refused", stderr, []]);
    await assert.rejects(readFile(join(folder, "none.json")));
  });

  test("goes on with the next file, prints JSON by lines, and fails in the end", async () => {
    const page = join(folder, "page.nc");
    await writeFile(page, "<html>503 Service Unavailable</html>");
    const { code, stdout, stderr } = await freshet(["scan", "--json", AIR, page, join(folder, "absent.nc"), AIR]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^freshet: not a file that can be scanned: found a file that starts with "<html>503 Service Un"…, looks like HTML, .*\nfreshet: there is no such file .*\n$/,
    );
    const found = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { format: string; variables: { path: string; shape: number[] }[] });
    assert.deepEqual(
      found.map(({ format, variables }) => [format, variables.length]),
      [
        ["hdf5", 4],
        ["hdf5", 4],
      ],
    );
    assert.deepEqual(found[0]?.variables.find(({ path }) => path === "/air")?.shape, [124, 11, 21]);
  });

  test("scans folders and patterns, passes over what is no granule, and writes a file for each", async () => {
    const granules = join(folder, "granules");
    await mkdir(join(granules, "deeper"), { recursive: true });
    await Promise.all([
      copyFile(AIR, join(granules, "b.nc")),
      copyFile(AIR, join(granules, "deeper", "a.h5")),
      writeFile(join(granules, "readme.txt"), "words"),
      writeFile(join(granules, ".hidden"), "words"),
    ]);
    const refs = join(folder, "of-folder");
    const report = join(folder, "reports");
    const { code, stdout, stderr } = await freshet(["scan", granules, "--json", "--refs", `${refs}/`, "--report", `${report}/`]);
    assert.deepEqual([code, stderr], [0, `1 file passed over, neither HDF5 nor NetCDF: ${join(granules, "readme.txt")}\n`]);
    const uris = stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { uri: string }).uri);
    assert.deepEqual(uris, [`file://${granules}/b.nc`, `file://${granules}/deeper/a.h5`]);
    for (const place of [refs, report]) assert.deepEqual((await readdir(place)).sort(), ["a.h5.json", "b.nc.json"]);
    const pattern = await freshet(["scan", join(granules, "**/*.{nc,h5}"), "--json"]);
    assert.deepEqual([pattern.code, pattern.stdout.trim().split("\n").length, pattern.stderr], [0, 2, ""]);
  });

  test("explains a variable: structures with their offsets, as a table and as JSON", async () => {
    const { code, stdout } = await freshet(["scan", AIR, "--explain", "air"]);
    assert.equal(code, 0);
    assert.match(stdout, /^file:.*\n\/air: referenced\n\n {2}offset {2}structure {15}says\n/);
    assert.match(stdout, /^ {4}4286 {2}data layout message {5}contiguous, at 15419$/m);
    const { stdout: line } = await freshet(["scan", AIR, "--explain", "/air", "--json"]);
    const { explanation } = JSON.parse(line) as { explanation: { path: string; evidence: { offset: number }[] } };
    assert.deepEqual([explanation.path, explanation.evidence.at(-1)?.offset], ["/air", 15419]);
  });

  test("follows a file to others in its own folder", async () => {
    const linking = join(folder, "linking");
    await mkdir(linking);
    const file = join(linking, "links.h5");
    await copyFile(data("hdf5/h5diff_danglelinks1.h5"), file);
    const linked = async (): Promise<string> => {
      const { stdout } = await freshet(["scan", file, "--json"]);
      const { variables } = JSON.parse(stdout) as { variables: { path: string; outcome: string; reason: string }[] };
      const found = variables.find(({ path }) => path === "/ext_link2");
      return `${found?.outcome}: ${found?.reason}`;
    };
    assert.match(await linked(), /^refused: a link to "\/dset1" in another file, "h5diff_danglelinks2\.h5", which is not there$/);
    await copyFile(file, join(linking, "h5diff_danglelinks2.h5"));
    assert.equal(await linked(), "referenced: ");
    const refs = join(folder, "linked.json");
    await freshet(["scan", file, "--refs", refs]);
    const { refs: found } = (await json("linked.json")) as { refs: Record<string, unknown[]> };
    assert.equal(found["ext_link2/0.0"]?.[0], `file://${linking}/h5diff_danglelinks2.h5`);
  });

  test("reads over http, ends at once, and shows no password", async () => {
    const bytes = await readFile(AIR);
    const server = createServer((request, response) => {
      const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "") ?? [];
      if (request.headers.authorization === undefined) return response.writeHead(401).end();
      const part = bytes.subarray(Number(from), Number(to) + 1);
      const headers = { etag: '"a"', "content-range": `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}` };
      return response.writeHead(206, headers).end(part);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const { code, stdout } = await freshet(["scan", `http://ann:secret@${host}/air.nc`, "--json"]);
      const found = JSON.parse(stdout) as { uri: string; etag: string; requests: number };
      assert.deepEqual([code, found.uri, found.etag], [0, `http://${host}/air.nc`, '"a"']);
      const table = await freshet(["scan", `http://ann:secret@${host}/air.nc`]);
      assert.match(table.stdout, /; 1 read in 1 round trip, 75\.8 kB, \d\.\d\d s$/m);
      const refused = await freshet(["scan", `http://${host}/air.nc`]);
      assert.deepEqual(
        [refused.code, refused.stderr],
        [
          1,
          `freshet: the server wants to know who is asking: found status 401 (http://${host}/air.nc). Check the credentials and what they allow\n`,
        ],
      );
      const named = await freshet(["scan", `http://${host}/air.nc`, "--header", "Authorization: Bearer x", "--json"]);
      assert.equal(named.code, 0);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test("stops at Ctrl-C with 130, at SIGTERM with 143", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/never`;
    try {
      for (const [signal, code] of [
        ["SIGINT", 130],
        ["SIGTERM", 143],
      ] as const) {
        const asked = new Promise((resolve) => server.once("request", resolve));
        const ended = await freshet(["scan", url, AIR], (kill) => void asked.then(() => kill(signal)));
        assert.deepEqual(ended, { code, stdout: "", stderr: "freshet: stopped\n" });
      }
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe("freshet", { concurrency: 2 }, () => {
  const uses: readonly (readonly [args: readonly string[], code: number, stderr: RegExp])[] = [
    [["scna"], 2, /^freshet: unknown command 'scna' \(Did you mean scan\?\)\n$/],
    [["scan"], 2, /^freshet: missing required argument 'file'\n$/],
    [["scan", AIR, "--ref", "x"], 2, /^freshet: unknown option '--ref' \(Did you mean --refs\?\)\n$/],
    [
      ["scan", AIR, "--header", "no value"],
      2,
      /^freshet: option '--header <name:value>' argument 'no value' is invalid\. It is written `name: value`\.\n$/,
    ],
    [
      ["scan", AIR, AIR, "--refs", "x"],
      2,
      /^freshet: --refs and --report of several files are written into a folder: found x, expected an existing folder, or x\/\n$/,
    ],
    [
      ["scan", AIR, AIR, "--refs", "x/"],
      2,
      /^freshet: two files would be written to one: found .*air\.nc and .*air\.nc, expected air\.nc\.json\n$/,
    ],
    [
      ["scan", "/nowhere/*.nc"],
      1,
      /^freshet: there is nothing to scan: found no file that the pattern matches \(\/nowhere\/\*\.nc\)\n$/,
    ],
    [
      ["scan", AIR, "--allow", "example.org"],
      2,
      /^freshet: option '--allow <prefix>' argument 'example\.org' is invalid\. It is a URL .*\n$/,
    ],
    [
      ["scan", AIR, "--explain", "nothing"],
      2,
      /^freshet: there is no such variable: found nothing, expected one of \/lat, .*\/air.*\n$/,
    ],
    [["scan", "gs://bucket/key"], 2, /^freshet: this kind of address cannot be read: found gs:, .*\n$/],
    [
      ["scan", AIR, "--load", "nothing"],
      1,
      /^freshet: an array to load is not in the file: found .*, expected nothing \(file:\/\/\/.*air\.nc\)\n$/,
    ],
    [["scan", AIR, "--refs", "/nowhere/x.json"], 1, /^freshet: the file cannot be written: found ENOENT.*\n$/],
    [["scan", "--help"], 0, /^$/],
    [["help", "scan"], 0, /^$/],
    [["--help"], 0, /^$/],
    [["--version"], 0, /^$/],
    [[], 2, /^Usage: freshet/],
  ];
  for (const [args, code, stderr] of uses) {
    test(`${args.join(" ").replaceAll(AIR, "FILE") || "without a command"} ends with ${code}`, async () => {
      const ended = await freshet(args);
      assert.match(ended.stderr, stderr);
      assert.equal(ended.code, code);
      if (code === 0) assert.ok(ended.stdout.length > 0);
    });
  }

  test("prints a stack only when it is asked to", async () => {
    const { stderr } = await freshet(["scan", bad, "--trace"]);
    assert.match(stderr, /^freshet: variable "var0" .*\nFreshetError: .*\n {4}at /);
  });
});
