import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { examine } from "../../src/cli/doctor/finding.ts";
import { datasetChecks } from "../../src/cli/doctor/source-checks.ts";
import { webhookCheck } from "../../src/cli/doctor/webhook-check.ts";
import { parseDatasetFile } from "../../src/dataset/index.ts";
import { connectTemporal, startWebhook } from "../../src/starters/index.ts";
import { freshet } from "../support/cli.ts";
import { TestCmr } from "../support/cmr.ts";
import { missingElasticMq, SQS_ENVIRONMENT, TestElasticMq } from "../support/elasticmq.ts";
import { missingRabbitMq, TestRabbitMq } from "../support/rabbitmq.ts";
import { missingTemporal, startTemporalServer, type TestServer } from "../support/temporal-server.ts";
import { missingS3, TestS3 } from "../support/versitygw.ts";

/** Nobody listens there. */
const NOBODY = "127.0.0.1:9";

interface Case {
  readonly what: string;
  /** Of the source, beside or instead of its place. */
  readonly source: string;
  readonly part: string;
  readonly says: RegExp;
  readonly ok?: boolean;
  readonly match?: string;
  readonly collection?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** What the checks of a dataset with this source say of a part. */
async function findingsOf(
  { source, part, match = "{valid:%Y%m%d}.nc", collection, environment = {} }: Omit<Case, "what" | "says">,
  folder: string,
) {
  const text = `
sources: { agency: { ${source} } }
---
name: days
from: { source: agency${collection === undefined ? "" : `, collection: ${collection}`} }
match: "${match}"
products: [ { timeseries: { calendar: { every: 1d }, store: "${folder}/store" } } ]
`;
  const former = { ...process.env };
  Object.assign(process.env, environment);
  try {
    const { datasets } = parseDatasetFile(text, { file: join(folder, "days.yaml") });
    const findings = [];
    for (const check of datasetChecks(datasets, "share", { queues: true })) findings.push(await examine(check));
    return findings.filter((finding) => finding.part === part);
  } finally {
    for (const name of Object.keys(environment)) {
      if (former[name] === undefined) delete process.env[name];
      else process.env[name] = former[name];
    }
  }
}

function table(cases: () => readonly Case[], folder: () => string): void {
  for (const { what } of cases()) {
    test(what, async () => {
      const one = cases().find((each) => each.what === what) as Case;
      const findings = await findingsOf(one, folder());
      assert.equal(findings.length, 1, JSON.stringify(findings));
      const [{ ok, found, remedy }] = findings as [Awaited<ReturnType<typeof examine>>];
      assert.match(`${found} → ${remedy}`, one.says);
      assert.equal(ok, one.ok ?? false, found);
      assert.doesNotMatch(`${found}${remedy}`, /\n|hush/);
      if (!ok) assert.notEqual(remedy, "", "what is wrong has a remedy");
    });
  }
}

describe("what doctor says of wrong settings", () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "freshet-doctor-"));
    await mkdir(join(folder, "granules"));
    await writeFile(join(folder, "granules", "20200101.nc"), "");
    await writeFile(join(folder, "file"), "");
  });
  after(() => rm(folder, { recursive: true, force: true }));

  describe("of folders, servers and secrets", () => {
    const cases = (): readonly Case[] => [
      {
        what: "a folder whose names are known",
        source: `at: "${folder}/granules/"`,
        part: "source agency",
        says: /1 of the first 1 names are known → $/,
        ok: true,
      },
      {
        what: "a folder that is not there",
        source: `at: "${folder}/nowhere/"`,
        part: "source agency",
        says: /there is no such folder.*nowhere.* → ./,
      },
      {
        what: "a pattern that matches nothing of what the listing finds",
        source: `at: "${folder}/granules/", listing: {}`,
        match: "x{valid:%Y%m%d}.nc",
        part: "source agency",
        says: /no name that the listing finds is known.*20200101\.nc.* → Correct match: freshet dataset try FILE/,
      },
      {
        what: "a server that does not answer",
        source: `at: "http://${NOBODY}/"`,
        part: "source agency",
        says: /ECONNREFUSED|nothing listens|refused.* → ./,
      },
      { what: "a host that is none", source: `at: "https://nowhere.invalid/"`, part: "source agency", says: /name.* → ./ },
      {
        what: "a mirror that a file is in the way of",
        source: `at: "${folder}/granules/", mirror: "${folder}/file/copies"`,
        part: "mirror of agency",
        says: /a file is in the way.* → Name another folder/,
      },
      {
        what: "a store that can be written",
        source: `at: "${folder}/granules/"`,
        part: "store of days/timeseries",
        says: /free → $/,
        ok: true,
      },
      {
        what: "a secret that is not set",
        source: `at: "${folder}/granules/", sqs: { queue: "\${DOCTOR_QUEUE}" }`,
        part: "secret of agency",
        says: /the secret \$\{DOCTOR_QUEUE\} is not set.* → Set DOCTOR_QUEUE/,
      },
      {
        what: "a secret's file that is not there",
        source: `at: "${folder}/granules/", amqp: { broker: "amqp://${NOBODY}/", user: "\${file:/nowhere/user}", topics: ["#"] }`,
        part: "secret of agency",
        says: /\$\{file:\/nowhere\/user\} cannot be read: found ENOENT.* → Put it there/,
      },
    ];
    table(cases, () => folder);

    test("a store that this user may not write to", {
      skip: process.getuid?.() === 0 && "root may write everywhere",
    }, async () => {
      await mkdir(join(folder, "locked"));
      await chmod(join(folder, "locked"), 0o500);
      const [finding] = await findingsOf(
        { source: `at: "${folder}/granules/"`, part: "store of days/timeseries" },
        join(folder, "locked"),
      );
      assert.match(`${finding?.found} → ${finding?.remedy}`, /cannot be written to: found EACCES.* → Name another folder/);
    });

    test("a webhook without a secret, with an empty one, with one that is not there; and open to all it does not start", async () => {
      const said = async (environment: NodeJS.ProcessEnv) => {
        const { ok, found, remedy } = await examine(webhookCheck(environment));
        return `${ok} ${found} → ${remedy}`;
      };
      assert.match(await said({}), /^true announcements need no token → Set FRESHET_WEBHOOK_TOKEN/);
      assert.match(await said({ FRESHET_WEBHOOK_TOKEN: "" }), /^false .*a token without a character → Set/);
      assert.match(await said({ FRESHET_WEBHOOK_HMAC: `\${file:/nowhere/hmac}` }), /^false .*cannot be read/);
      assert.equal(await said({ FRESHET_WEBHOOK_TOKEN: "hush" }), "true announcements need a token or a signature → ");
      const announcer = undefined as never;
      await assert.rejects(
        startWebhook({ announcer, host: "0.0.0.0", port: 0 }),
        /would let everybody in.*Set FRESHET_WEBHOOK_TOKEN/,
      );
    });
  });

  test("of CMR: a collection that it knows, one that it does not, and nobody", async () => {
    const cmr = await TestCmr.start();
    try {
      cmr.collection("MUR");
      const said = async (endpoint: string, collection: string): Promise<string> => {
        const source = `at: "${folder}/granules/", cmr: { endpoint: "${endpoint}" }`;
        const [finding] = await findingsOf({ source, part: "collection of agency", collection }, folder);
        return `${finding?.ok} ${finding?.found} → ${finding?.remedy}`;
      };
      assert.match(await said(cmr.url, "MUR"), /^true MUR is C\d+-TESTCLOUD at http.* → $/);
      assert.match(await said(cmr.url, "MURR"), /^false CMR does not know this collection.* → Correct from\.collection/);
      assert.match(await said(`http://${NOBODY}/`, "MUR"), /^false .* → ./);
    } finally {
      await cmr.close();
    }
  });

  describe("of S3", { skip: missingS3() }, () => {
    let s3: TestS3;
    before(async () => {
      s3 = await TestS3.start();
      await s3.createBucket("granules");
      await s3.put("granules", "20200101.nc", new Uint8Array(1));
    });
    after(() => s3?.stop());
    const at = (bucket: string, more = ""): string => `at: "s3://${bucket}/", s3: { endpoint: "${s3?.endpoint}"${more} }`;
    const cases = (): readonly Case[] => [
      {
        what: "a bucket that is there",
        source: at("granules"),
        part: "source agency",
        says: /1 of the first 1 names are known → $/,
        ok: true,
      },
      {
        what: "a bucket that is not there",
        source: at("nowhere"),
        part: "source agency",
        says: /there is no such bucket.* → Correct the address/,
      },
      {
        what: "wrong keys",
        // Another name of the host: clients are kept by it, with the keys that they have.
        source: at("granules").replace("127.0.0.1", "localhost"),
        part: "source agency",
        says: /refuses the object.*(SignatureDoesNotMatch|InvalidAccessKeyId).* → Check the credentials/,
        environment: { AWS_ACCESS_KEY_ID: "freshet-test", AWS_SECRET_ACCESS_KEY: "hush" },
      },
      {
        what: "a bucket that denies a listing",
        source: `${at("granules", ", anonymous: true")}, listing: {}`,
        part: "source agency",
        says: /AccessDenied.* → Check the credentials/,
      },
      {
        what: "a bucket that nobody lists, but may be read",
        source: at("granules", ", anonymous: true"),
        part: "source agency",
        says: /cannot be listed, so names were not tried/,
        ok: true,
      },
      {
        what: "an endpoint where nobody is",
        source: `at: "s3://granules/", s3: { endpoint: "http://${NOBODY}" }`,
        part: "source agency",
        says: /nothing listens.* → ./,
      },
    ];
    table(cases, () => folder);
  });

  describe("of SQS", { skip: missingElasticMq() }, () => {
    let sqs: TestElasticMq;
    const queues = new Map<string, string>();
    before(async () => {
      sqs = await TestElasticMq.start();
      await sqs.createQueue("dead");
      queues.set("plain", await sqs.createQueue("plain"));
      queues.set("good", await sqs.createQueue("good", { name: "dead", maxReceiveCount: 3 }));
    });
    after(() => sqs?.stop());
    const queue = (url: string | undefined): string => `at: "${folder}/granules/", sqs: { queue: "${url}" }`;
    const cases = (): readonly Case[] =>
      [
        {
          what: "a queue with a dead-letter queue",
          source: queue(queues.get("good")),
          part: "queue of agency",
          says: /dead letters to dead → $/,
          ok: true,
        },
        {
          what: "a queue without one",
          source: queue(queues.get("plain")),
          part: "queue of agency",
          says: /has no dead-letter queue.*redrive policy/,
          ok: true,
        },
        {
          what: "a queue that is not there",
          source: queue(`${sqs?.endpoint}/000000000000/nowhere`),
          part: "queue of agency",
          says: /there is no such queue.* → Correct `sqs\.queue`/,
        },
        {
          what: "a queue's host where nobody is",
          source: queue(`http://${NOBODY}/000000000000/q`),
          part: "queue of agency",
          says: /the queue does not answer.*ECONNREFUSED.* → See that the host/,
        },
      ].map((one) => ({ ...one, environment: SQS_ENVIRONMENT }));
    table(cases, () => folder);
  });

  describe("of AMQP", { skip: missingRabbitMq() }, () => {
    let broker: TestRabbitMq;
    before(async () => {
      broker = await TestRabbitMq.start();
      await broker.withChannel(async (channel) => {
        await channel.assertExchange("xpublic", "topic", { durable: true });
        await channel.assertQueue("q_theirs", { durable: true });
      });
      await broker.publish("", [{ topic: "q_theirs", body: "kept" }]);
      await broker.control("add_user", "reader", "hush");
      await broker.control("set_permissions", "reader", "^q_ours", "^q_ours", "^(q_ours|xpublic)");
    });
    after(() => broker?.stop());
    const secrets = { DOCTOR_USER: "reader", DOCTOR_PASSWORD: "hush" };
    const amqp = (more = "", url = broker?.url): string =>
      `at: "${folder}/granules/", amqp: { broker: "${url}", user: "\${DOCTOR_USER}", password: "\${DOCTOR_PASSWORD}", topics: ["#"]${more} }`;
    const cases = (): readonly Case[] =>
      [
        {
          what: "a broker that lets us in",
          source: amqp(", queue: q_ours"),
          part: "broker of agency",
          says: /exchange xpublic, queue q_ours → The queue is not there yet/,
          ok: true,
        },
        {
          what: "an exchange that is not there",
          source: amqp(", queue: q_ours, exchange: nowhere"),
          part: "broker of agency",
          says: /the broker does not have it.* → Correct `amqp\.exchange`/,
        },
        {
          what: "no right to take from the queue",
          source: amqp(", queue: q_theirs"),
          part: "broker of agency",
          says: /the broker refuses us the queue.* → Allow this user/,
        },
        {
          what: "a wrong password",
          source: amqp(),
          part: "broker of agency",
          says: /does not let us in.* → Correct `amqp\.user` and `amqp\.password`/,
          environment: { DOCTOR_PASSWORD: "wrong-hush" },
        },
        {
          what: "a virtual host that is not there",
          source: amqp("", `${broker?.url}nowhere`),
          part: "broker of agency",
          says: /virtual host.* → Correct the path/,
        },
        {
          what: "a broker where nobody is",
          source: amqp("", `amqp://${NOBODY}/`),
          part: "broker of agency",
          says: /the broker does not answer.*ECONNREFUSED.* → See that the host/,
        },
      ].map(({ environment = {}, ...one }: Omit<Case, "environment"> & { environment?: object }) => ({
        ...one,
        environment: { ...secrets, ...environment },
      }));
    table(cases, () => folder);

    test("a message that lies in the queue is still there afterwards", async () => {
      const left = () => broker.withChannel(async (channel) => (await channel.checkQueue("q_theirs")).messageCount);
      assert.equal(await left(), 1);
      const guest = { DOCTOR_USER: "guest", DOCTOR_PASSWORD: "guest" };
      const [finding] = await findingsOf(
        { source: amqp(", queue: q_theirs"), part: "broker of agency", environment: guest },
        folder,
      );
      assert.equal(finding?.ok, true, finding?.found);
      assert.equal(await left(), 1);
    });
  });

  describe("of Temporal", { skip: missingTemporal() }, () => {
    let server: TestServer;
    before(async () => {
      server = await startTemporalServer();
    });
    after(() => server?.stop());

    test("a namespace that is not there, a server where nobody is", async () => {
      await assert.rejects(
        connectTemporal(server.address, "nowhere"),
        /no such namespace: found nowhere.*temporal operator namespace create/,
      );
      await assert.rejects(connectTemporal(NOBODY, "default"), /no Temporal server answers.*TEMPORAL_ADDRESS/);
    });

    test("all of it together: one line a part, what to do below it, exit code 1", async () => {
      const file = join(folder, "days.yaml");
      const more = 'match: "{valid:%Y%m%d}.nc"\nproducts: [ { timeseries: { calendar: { every: 1d }, store: store } } ]';
      await writeFile(
        file,
        `sources: { agency: { at: nowhere, sqs: { queue: "\${DOCTOR_QUEUE}" } } }\nname: days\nfrom: { source: agency }\n${more}\n`,
      );
      const environment = { TEMPORAL_ADDRESS: server.address, FRESHET_HOME: join(folder, "home") };
      const { code, stdout, stderr } = await freshet(["doctor", file], environment);
      assert.equal(code, 1, stderr);
      assert.match(stdout, /^ok {5} home /m);
      assert.match(stdout, /^note {3} ledger +none yet\n +→ It is made by/m);
      assert.match(stdout, /^WRONG {2} search attributes +missing: .*\n +→ Apply a dataset file/m);
      assert.match(stdout, /^WRONG {2} workers +nobody polls.*\n +→ Start one/m);
      assert.match(stdout, /^WRONG {2} secret of agency +the secret \$\{DOCTOR_QUEUE\} is not set.*\n +→ Set DOCTOR_QUEUE/m);
      assert.match(stdout, /^WRONG {2} source agency .*\n +→ ./m);
      assert.match(stdout, /^ok {5} store of days\/timeseries /m);
    });
  });
});
