/**
 * What nats-server sends to a subscriber, taken apart with as little work as possible: on the machine that is measured,
 * the client library took as much for an event as the generator takes for a webhook.
 * https://docs.nats.io/reference/reference-protocols/nats-protocol
 *
 * @module
 */

export interface BrokerMessage {
  readonly subject: string;
  /** Of a consumer's message: where it would be acknowledged, with its place in the stream in it. */
  readonly reply: string;
  /** One character a byte. */
  readonly payload: string;
}

/** Reads on over the ends of chunks. Chunks are texts of one character a byte. */
export class BrokerMessages {
  #rest = "";

  /**
   * Calls back with each message that is whole with `chunk`, and with each other line. Throws on what is neither.
   */
  add(chunk: string, onMessage: (message: BrokerMessage) => void, onLine: (line: string) => void): void {
    const text = this.#rest === "" ? chunk : this.#rest + chunk;
    let at = 0;
    for (;;) {
      const end = text.indexOf("\r\n", at);
      if (end < 0) break;
      const line = text.slice(at, end);
      const start = end + 2;
      if (!line.startsWith("MSG ") && !line.startsWith("HMSG ")) {
        onLine(line);
        at = start;
        continue;
      }
      // [H]MSG <subject> <subscription> [reply] [bytes of headers] <bytes in all>
      const tokens = line.split(" ");
      const hasHeaders = line.startsWith("H");
      const bytes = Number(tokens.at(-1));
      if (!(bytes >= 0)) throw new SyntaxError(`not a message of the broker: ${line}`);
      if (text.length < start + bytes + 2) break;
      const headers = hasHeaders ? Number(tokens.at(-2)) : 0;
      const hasReply = tokens.length === (hasHeaders ? 6 : 5);
      onMessage({
        subject: tokens[1]!,
        reply: hasReply ? tokens[3]! : "",
        payload: text.slice(start + headers, start + bytes),
      });
      at = start + bytes + 2;
    }
    this.#rest = text.slice(at);
  }
}
