import { connect } from "node:net";

const ANSWER_MS = 2_000;

/** Whether anybody listens at `host:port`; known at once where nobody does, which a Temporal client takes five seconds for. */
export function isListening(address: string): Promise<boolean> {
  const [, host = "", port = ""] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? [];
  if (host === "") return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => end(true)).once("error", () => end(false));
    socket.setTimeout(ANSWER_MS, () => end(false));
  });
}
