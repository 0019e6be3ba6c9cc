import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { isFreshetError } from "../../src/errors/index.ts";
import { type SnsTrust, snsTrustOf, verifySns } from "../../src/starters/webhook/sns-signature.ts";
import { startWebhook } from "../../src/starters/webhook.ts";

const TOPIC = "arn:aws:sns:us-east-1:123456789012:NewObject";
const DAY_MS = 86_400_000;
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

/** One element of DER. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

/** A certificate for the key of this test, signed by itself (RFC 5280). */
function certificate(fromMs: number, toMs: number): string {
  const algorithm = der(0x30, Buffer.from("06092a864886f70d01010b0500", "hex"));
  const name = der(0x30, der(0x31, der(0x30, Buffer.from("0603550403", "hex"), der(0x0c, Buffer.from("sns.test")))));
  const time = (ms: number): Buffer => der(0x18, Buffer.from(new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, "")));
  const key = publicKey.export({ type: "spki", format: "der" });
  const version = der(0xa0, der(0x02, Buffer.from([2])));
  const told = der(0x30, version, der(0x02, Buffer.from([1])), algorithm, name, der(0x30, time(fromMs), time(toMs)), name, key);
  const whole = der(0x30, told, algorithm, der(0x03, Buffer.from([0]), sign("sha256", told, privateKey)));
  return `-----BEGIN CERTIFICATE-----\n${whole.toString("base64")}\n-----END CERTIFICATE-----\n`;
}

describe("messages of SNS", () => {
  let server: Server;
  let service = "";
  const asked: string[] = [];
  let isAway = false;
  before(async () => {
    server = createServer((request, response) => {
      asked.push(request.url ?? "");
      if (isAway) response.writeHead(503).end();
      else if (request.url === "/endless.pem") {
        response.on("error", () => undefined);
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(16_384)));
        };
        response.on("drain", more);
        more();
      } else if (request.url === "/elsewhere.pem") response.writeHead(302, { location: "/good.pem" }).end();
      else if (request.url === "/old.pem") response.end(certificate(Date.now() - 2 * DAY_MS, Date.now() - DAY_MS));
      else if (request.url === "/none.pem") response.end("no certificate");
      else response.end(certificate(Date.now() - DAY_MS, Date.now() + DAY_MS));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    service = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const trust = (more: Partial<SnsTrust> = {}): SnsTrust => ({ topics: [TOPIC], confirm: false, service, ...more });
  /** As SNS posts it. `fields` are in the signature, `after` are put there afterwards. */
  function message(fields: Record<string, string> = {}, after: Record<string, string | undefined> = {}): Buffer {
    const told: Record<string, string> = {
      Type: "Notification",
      MessageId: "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
      TopicArn: TOPIC,
      Message: '{"uri":"https://host/a/20170605.nc"}',
      Timestamp: "2026-11-21T00:00:00.000Z",
      SignatureVersion: "2",
      SigningCertURL: `${service}good.pem`,
      ...fields,
    };
    const isNotification = told.Type === "Notification";
    const names = isNotification
      ? ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
      : ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];
    const text = names.flatMap((name) => (told[name] === undefined ? [] : [`${name}\n${told[name]}\n`])).join("");
    const Signature = sign(told.SignatureVersion === "1" ? "sha1" : "sha256", Buffer.from(text), privateKey).toString("base64");
    return Buffer.from(JSON.stringify({ ...told, Signature, ...after }));
  }

  test("are taken with a true signature of version 1 and 2; the certificate is asked for once", async () => {
    asked.length = 0;
    for (const fields of [{}, { SignatureVersion: "1" }, { Subject: "Amazon S3 Notification" }]) {
      const verified = await verifySns(message(fields), trust(), Date.now());
      assert.equal(verified?.topic, TOPIC);
    }
    assert.deepEqual(asked, ["/good.pem"]);
    const confirmation = { Type: "SubscriptionConfirmation", Token: "t", SubscribeURL: `${service}confirm` };
    assert.equal((await verifySns(message(confirmation), trust(), Date.now()))?.subscribeUrl, `${service}confirm`);
    assert.equal(await verifySns(Buffer.from('{"uri":"https://host/x"}'), trust(), Date.now()), undefined);
    assert.equal(await verifySns(Buffer.from([0xff, 0]), trust(), Date.now()), undefined);
  });

  test("are refused where anything is not as SNS has it", async () => {
    const other = "arn:aws:sns:us-east-1:123456789012:Other";
    const cases: readonly (readonly [RegExp, Buffer, SnsTrust?])[] = [
      [/signature .* is wrong/, message({}, { Message: "other" })],
      [/signature .* is wrong/, message({}, { Subject: "added" })],
      [/signature .* is wrong/, message({}, { Type: "UnsubscribeConfirmation" })],
      [/signature .* is wrong/, message({}, { SignatureVersion: "1" })],
      [/signature .* is wrong/, message({}, { Signature: "AAAA" })],
      [/is not signed/, message({}, { Signature: undefined })],
      [/is not signed/, message({ SignatureVersion: "3" })],
      [/is not one that may announce/, message({ TopicArn: other })],
      [/not SNS's/, message({ SigningCertURL: "https://sns.us-east-1.amazonaws.com.evil.example/x.pem" })],
      [/not SNS's/, message({ SigningCertURL: "http://sns.us-east-1.amazonaws.com/x.pem" })],
      [/not SNS's/, message({ SigningCertURL: "https://sns.us-east-1.amazonaws.com:8443/x.pem" })],
      [/not SNS's/, message({ SigningCertURL: "https://a@sns.us-east-1.amazonaws.com/x.pem" })],
      [/not SNS's/, message(), trust({ service: undefined })],
      [/names no certificate/, message({ SigningCertURL: `${service}good.txt` })],
      [/is no certificate/, message({ SigningCertURL: `${service}none.pem` })],
      [/not valid now/, message({ SigningCertURL: `${service}old.pem` })],
    ];
    for (const [why, body, trusted = trust()] of cases) {
      await assert.rejects(
        verifySns(body, trusted, Date.now()),
        (error) => isFreshetError(error, "source-refused") && why.test(error.message),
        String(why),
      );
    }
    for (const name of ["endless.pem", "elsewhere.pem"])
      await assert.rejects(verifySns(message({ SigningCertURL: `${service}${name}` }), trust(), Date.now()), (error) =>
        isFreshetError(error, "unreachable"),
      );
  });

  test("a certificate that cannot be had now is asked for again", async () => {
    const SigningCertURL = `${service}again.pem`;
    isAway = true;
    await assert.rejects(verifySns(message({ SigningCertURL }), trust(), Date.now()), (error) =>
      isFreshetError(error, "unreachable"),
    );
    isAway = false;
    assert.ok(await verifySns(message({ SigningCertURL }), trust(), Date.now()));
  });

  test("topics are named by their ARNs", () => {
    const environment = { FRESHET_WEBHOOK_SNS: `${TOPIC}, ${TOPIC}2`, FRESHET_WEBHOOK_SNS_CONFIRM: "1" };
    assert.deepEqual(snsTrustOf(environment), { topics: [TOPIC, `${TOPIC}2`], confirm: true });
    assert.equal(snsTrustOf({}), undefined);
    assert.throws(() => snsTrustOf({ FRESHET_WEBHOOK_SNS: "NewObject" }), /found "NewObject", expected arn:aws:sns/);
  });

  test("the webhook lets them in without a token, others only with it, and confirms only when told to", async () => {
    const counted: string[] = [];
    // Temporal has no part in who is let in.
    const announcer = {
      book: {
        count: () => undefined,
        unmatched: (_source: string, _via: string, uri: string) => counted.push(uri),
        write: async () => undefined,
      },
      messageRules: async () => [],
      announce: async () => [],
      routes: async () => [],
      sourceOf: async () => undefined,
    };
    const post = async (
      options: { readonly confirm?: boolean; readonly token?: string },
      body: Buffer | string,
      headers: Record<string, string> = { "x-amz-sns-message-type": "Notification", "content-type": "text/plain" },
    ): Promise<string> => {
      const { confirm = false, token } = options;
      const webhook = await startWebhook({ announcer: announcer as never, port: 0, token, sns: trust({ confirm }) });
      try {
        const response = await fetch(webhook.url, { method: "POST", body: body as string, headers });
        return `${response.status} ${await response.text()}`;
      } finally {
        await webhook.close();
      }
    };
    assert.match(await post({}, message()), /^202 /);
    assert.deepEqual(counted, ["https://host/a/20170605.nc"]);
    assert.match(await post({}, message({}, { Message: "{}" })), /^401 .*signature/);
    assert.match(await post({ token: "t" }, message()), /^202 /);
    const json = { "content-type": "application/json" };
    assert.match(await post({}, '{"uri":"https://host/x.nc"}', json), /^401 .*a signed message of SNS/);
    assert.match(await post({}, '{"uri":"https://host/x.nc"}', { ...json, "x-amz-sns-message-type": "Notification" }), /^401/);
    assert.match(await post({ token: "t" }, '{"uri":"https://host/x.nc"}', { ...json, authorization: "Bearer t" }), /^202/);
    assert.match(await post({ token: "t" }, message({}, { Message: "{}" }), { ...json, authorization: "Bearer t" }), /^401/);
    const confirmation = message({ Type: "SubscriptionConfirmation", Token: "t", SubscribeURL: `${service}confirm` });
    asked.length = 0;
    assert.match(await post({}, confirmation), /^202 .*for its owner to answer/);
    assert.deepEqual(asked, []);
    assert.match(await post({ confirm: true }, confirmation), /^202 .*is confirmed/);
    assert.deepEqual(asked, ["/confirm"]);
  });
});
