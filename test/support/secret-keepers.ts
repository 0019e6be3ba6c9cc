import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * Plays AWS Systems Manager and Secrets Manager, as far as Freshet asks them: one POST each, JSON 1.1, the operation in `X-Amz-Target`, errors
 * as `{"__type": …}`.
 */
export class SecretKeepers {
  /** By the name of the parameter, or of the secret. */
  readonly values = new Map<string, string>();
  /** What was asked for, in order: `GetParameter /name`. */
  readonly asked: string[] = [];
  /** An error's type that every question is answered with. */
  refusal: string | undefined;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<SecretKeepers> {
    const server = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on("data", (piece: Buffer) => pieces.push(piece));
      request.on("end", () => {
        const { status, body } = keepers.#answer(String(request.headers["x-amz-target"]), Buffer.concat(pieces).toString());
        response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
      });
    });
    const keepers = new SecretKeepers(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return keepers;
  }

  /** What a process must have in its environment to ask them. */
  get environment(): Record<string, string> {
    const url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return {
      AWS_ENDPOINT_URL_SSM: url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: url,
      AWS_REGION: "eu-west-2",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_EC2_METADATA_DISABLED: "true",
    };
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #answer(target: string, text: string): { readonly status: number; readonly body: object } {
    const { Name, SecretId, WithDecryption } = JSON.parse(text) as Record<string, string | boolean>;
    const operation = target.split(".")[1] ?? "";
    const name = String(Name ?? SecretId);
    this.asked.push(`${operation} ${name}`);
    const value = this.values.get(name);
    const missing = target.startsWith("AmazonSSM.") ? "ParameterNotFound" : "ResourceNotFoundException";
    const refusal = this.refusal ?? (value === undefined ? missing : undefined);
    if (refusal !== undefined) return { status: 400, body: { __type: refusal, message: `said of ${name}` } };
    if (target === "AmazonSSM.GetParameter") {
      // As the real one, which gives the encrypted text otherwise.
      return {
        status: 200,
        body: { Parameter: { Name: name, Type: "SecureString", Value: WithDecryption === true ? value : "AQICAH" } },
      };
    }
    if (target === "secretsmanager.GetSecretValue") return { status: 200, body: { Name: name, SecretString: value } };
    return { status: 400, body: { __type: "UnknownOperationException" } };
  }
}
