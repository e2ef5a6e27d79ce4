/**
 * What goes out through another channel while its own is down.
 *
 * A message may move while no provider can have it: it waits, was never called or every call of it failed for
 * sure, and it fits the other channel. It leaves from the number that it was written for if that belongs to the
 * fallback channel by now, else from the fallback channel's oldest number for the same purpose.
 *
 * @module
 */
import type { Channel, OwnNumber } from "../channel.ts";
import type { Directory } from "../directory.ts";
import type { Encoding } from "../message.ts";
import { checkOutgoing } from "../outgoing.ts";
import type { Provider } from "../ports/provider.ts";
import type { QueuedMessage } from "./queued_message.ts";

/** A channel that can stand in. */
export interface Fallback {
  readonly channel: Channel;
  readonly supportsMedia: boolean;
  /** Its own, the oldest first; at least one. */
  readonly numbers: readonly OwnNumber[];
  /** What a number of ours is for; undefined of one that is gone. */
  readonly purposeOf: (number: string) => OwnNumber["purpose"] | undefined;
}

/** Where a message goes instead; segments and encoding are by the fallback channel's settings. */
export interface Place {
  readonly channelId: string;
  readonly numberId: string;
  readonly number: string;
  readonly encoding: Encoding;
  readonly segments: number;
}

/** The channel that stands in for `channel`; null without one that is enabled and has a number. */
export function fallbackOf(
  channel: Channel,
  directory: Directory,
  providers: ReadonlyMap<string, Provider>,
): Fallback | null {
  const { fallbackChannelId } = channel.settings;
  const fallback = fallbackChannelId === undefined ? undefined : directory.channels.get(fallbackChannelId);
  const provider = fallback && providers.get(fallback.provider);
  if (fallback === undefined || provider === undefined || !fallback.enabled) return null;
  const numbers = [...directory.numbers.values()].filter(({ channelId }) => channelId === fallback.id)
    .sort((a, b) => a.id < b.id ? -1 : 1);
  if (numbers.length === 0) return null;
  const purposeOf = (number: string) => directory.numbersByAddress.get(number)?.purpose;
  return { channel: fallback, supportsMedia: provider.supports.mms, numbers, purposeOf };
}

/** The channels that stand in, looked up once for each version of the configuration. */
export class Fallbacks {
  readonly #providers: ReadonlyMap<string, Provider>;
  readonly #byChannel = new Map<string, Fallback | null>();
  #directory: Directory | null = null;

  constructor(providers: ReadonlyMap<string, Provider>) {
    this.#providers = providers;
  }

  /** As {@link fallbackOf}. */
  of(channel: Channel, directory: Directory): Fallback | null {
    if (channel.settings.fallbackChannelId === undefined) return null;
    if (this.#directory !== directory) this.#byChannel.clear();
    this.#directory = directory;
    let fallback = this.#byChannel.get(channel.id);
    if (fallback === undefined) {
      fallback = fallbackOf(channel, directory, this.#providers);
      this.#byChannel.set(channel.id, fallback);
    }
    return fallback;
  }
}

/** Where `message` goes; null when it has to wait for its own channel. `idempotent`: its own provider. */
export function placeAt(message: QueuedMessage, fallback: Fallback, idempotent: boolean): Place | null {
  // A provider that recognises repeats may have taken an unanswered call, which is tried again without a mark.
  if (message.uncertain || (idempotent && message.attempts > 0)) return null;
  const { channel, supportsMedia, numbers } = fallback;
  const check = checkOutgoing(channel, supportsMedia, {
    to: message.contact,
    text: message.text,
    media: message.media ?? [],
  });
  if (check.kind !== "fits") return null;
  const purpose = fallback.purposeOf(message.number) ?? "chat";
  const own = numbers.find(({ number }) => number === message.number) ??
    numbers.find((number) => number.purpose === purpose);
  if (own === undefined) return null;
  const { id, number } = own;
  const { encoding, segments } = check.analysis;
  return { channelId: channel.id, numberId: id, number, encoding, segments };
}

/** The message as the fallback channel's sender is to know it. */
export function moved(message: QueuedMessage, place: Place): QueuedMessage {
  return {
    ...message,
    channel_id: place.channelId,
    number_id: place.numberId,
    number: place.number,
    encoding: place.encoding,
    segments: place.segments,
    error: null,
  };
}
