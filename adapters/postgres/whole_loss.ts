/**
 * Connections whose loss postgres.js 3.4.9 hears of at one moment.
 *
 * A socket tells an error first and its end a little later. Whoever hears of the failed query and asks again in between is
 * given the same connection: that query is never written and never settles, and the next connection in its place takes
 * the next answer for its. Bytes that waited for their write stay as well, in front of whatever is written to the next
 * connection, with the mark that a write is due; nothing more is written then until 1,024 bytes have come together, one
 * try to connect after the other, 5 s each.
 *
 * @module
 */
import { connect, type Socket } from "node:net";

/** What postgres.js tells of the connection to be made. */
interface Place {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path?: string | false;
  readonly ssl?: unknown;
}

/**
 * A startup parameter that PostgreSQL takes for no options at all: with it the first thing written to a new connection
 * is written at once. Where bytes of a former one stand before it the server refuses that try, and the next is clean.
 */
export const WRITTEN_AT_ONCE = { options: " ".repeat(1_024) };

/**
 * The option of postgres.js by which a pool gets such sockets; its types do not know it. Several hosts are tried one after
 * the other. Under TLS it is not the socket that tells the loss: there all stays as it is.
 */
export function wholeLoss(): { readonly socket: (place: Place) => Socket } {
  let tries = 0;
  const socket = ({ host, port, path, ssl }: Place) => {
    const index = tries++ % host.length;
    const connecting = path ? connect(path) : connect(port[index]!, host[index]!);
    // By these TLS knows the server's name.
    Object.assign(connecting, { host: host[index], port: port[index], ssl });
    return ssl ? connecting : tellingLossWhole(connecting);
  };
  return { socket };
}

/** `socket`, which tells an error together with its end. */
function tellingLossWhole(socket: Socket): Socket {
  const emit = socket.emit.bind(socket) as (event: string, ...values: unknown[]) => boolean;
  let error: unknown = null;
  socket.emit = (event: string, ...values: unknown[]): boolean => {
    if (event === "error") {
      error ??= values[0];
      socket.destroy();
      return true;
    }
    if (event === "close" && error !== null) emit("error", error);
    return emit(event, ...values);
  };
  return socket;
}
