import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface Call {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A server that keeps what it is told, and answers with `statuses` one after the other, then with the last of them for ever. */
export class Hook {
  readonly calls: Call[] = [];
  statuses: number[] = [204];
  /** Sent with every answer that has a body. */
  answer = "";
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      this.calls.push({ path: request.url ?? "", headers: request.headers, body: await text(request) });
      const status = this.statuses.length > 1 ? this.statuses.shift() : this.statuses[0];
      response.writeHead(status as number, { "content-type": "text/xml" });
      response.end(this.answer);
    });
  }

  static async start(): Promise<Hook> {
    const hook = new Hook();
    hook.#server.listen(0, "127.0.0.1");
    await once(hook.#server, "listening");
    return hook;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }
}
