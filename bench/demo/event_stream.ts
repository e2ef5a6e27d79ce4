/**
 * `/v1/events` as an application listens to it: server-sent events, resumed where they broke off.
 *
 * @module
 */
import { pause } from "../simulator/clock.ts";

/** A CloudEvent of Patchbay. */
export interface DemoEvent {
  readonly id: string;
  readonly type: string;
  readonly extensionid?: string;
  readonly queueid?: string;
  readonly platformid?: string;
  readonly data: {
    readonly sessionId?: string | null;
    readonly state?: string;
    readonly extensionId?: string | null;
    readonly contact?: string;
    readonly text?: string;
  };
}

export interface ListenOptions {
  readonly url: string;
  readonly key: string;
  readonly onEvent: (event: DemoEvent) => void;
  /** Called once, when the first connection stands. */
  readonly onOpen?: () => void;
  readonly signal: AbortSignal;
}

const RETRY_MS = 500;

/** Listens until `signal` is aborted; comes again by itself, with the id of the last event it has. */
export async function listenToEvents(options: ListenOptions): Promise<void> {
  const { signal } = options;
  let position = "";
  let opened = false;
  while (!signal.aborted) {
    try {
      const response = await fetch(`${options.url}/v1/events`, {
        headers: {
          authorization: `Bearer ${options.key}`,
          ...(position === "" ? {} : { "last-event-id": position }),
        },
        signal,
      });
      if (!response.ok || response.body === null) throw new Error(`/v1/events answered ${response.status}`);
      if (!opened) options.onOpen?.();
      opened = true;
      for await (const { id, data } of readEvents(response.body)) {
        if (id !== "") position = id;
        if (data !== "") options.onEvent(JSON.parse(data) as DemoEvent);
      }
    } catch (error) {
      if (!signal.aborted && !opened) throw error;
    }
    await pause(RETRY_MS, signal);
  }
}

interface Block {
  readonly id: string;
  readonly data: string;
}

/** The blocks of an event stream, as they are written here: one line of data each. */
async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<Block> {
  let rest = "";
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + chunk).split("\n\n");
    rest = blocks.pop()!;
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, "m").exec(block)?.[1] ?? "";
      yield { id: field("id"), data: field("data") };
    }
  }
}
