import { type ChannelModel, connect } from "amqplib";
import type { AmqpAccess } from "./amqp-access.ts";

const CONNECT_MS = 10_000;
/** A connection that is silent for twice as long is gone. Brokers ask for 60 s and more; they take what the client asks for. */
const HEARTBEAT_S = 30;

/** Connects. What the library throws, it throws. */
export async function connectBroker(access: AmqpAccess): Promise<ChannelModel> {
  const { protocol, hostname, port, vhost, user: username, password } = access;
  const where = { protocol, hostname, port, username, password, vhost: encodeURIComponent(vhost), heartbeat: HEARTBEAT_S };
  // The library's time limit holds until the connection is open; after that the heartbeat does.
  return connect(where, { timeout: CONNECT_MS, keepAlive: true });
}
