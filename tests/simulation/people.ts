/**
 * Who uses the system in the simulation: contacts who write, callers of the API who send, and agents who take sessions
 * and answer. They come again until they are answered, as everybody is told to.
 *
 * @module
 */
import type { Command, CommandReply } from "../../core/entry.ts";
import type { Promised, Webhook } from "../../bench/audit/run.ts";
import type { Broker } from "./broker.ts";
import type { Ingress } from "./ingress.ts";
import type { Tables } from "./tables.ts";
import type { World } from "./world.ts";

export interface PeopleOptions {
  readonly world: World;
  readonly ingress: Ingress;
  readonly broker: Broker;
  readonly tables: Tables;
  /** Ours, with their channels. */
  readonly numbers: readonly { readonly number: string; readonly channelId: string }[];
  readonly contacts: readonly string[];
  readonly agents: readonly string[];
  /** Until then they are busy, ms of their time. */
  readonly msMax: number;
}

type Writable<T> = { -readonly [Field in keyof T]: T[Field] };

const REPLY_MS_MAX = 3_000;

export class People {
  readonly promised: Promised[] = [];
  readonly #webhooks: Writable<Webhook>[] = [];
  readonly #options: PeopleOptions;
  readonly #untilMs: number;
  #busy = 0;
  #counter = 0;

  constructor(options: PeopleOptions) {
    this.#options = options;
    this.#untilMs = options.world.nowMs + options.msMax;
    for (const contact of options.contacts) this.#start(() => this.#write(contact));
    for (let caller = 0; caller < 2; caller++) this.#start(() => this.#send());
    for (const agent of options.agents) this.#start(() => this.#attend(agent));
  }

  /** Whether nobody waits for an answer any more. */
  get isDone(): boolean {
    return this.#busy === 0;
  }

  get webhooks(): readonly Webhook[] {
    return this.#webhooks;
  }

  /** Offers something until it is taken. */
  async insist(offer: () => Promise<void>): Promise<void> {
    this.#busy++;
    for (;;) {
      try {
        await offer();
        break;
      } catch {
        await this.#pause(50, 800);
      }
    }
    this.#busy--;
  }

  #start(live: () => Promise<void>): void {
    this.#busy++;
    live().finally(() => this.#busy--);
  }

  #isOver(): boolean {
    return this.#options.world.nowMs >= this.#untilMs;
  }

  /** One message after the other, to one of our numbers or another; some are delivered once more later. */
  async #write(from: string): Promise<void> {
    const { world, ingress, numbers } = this.#options;
    while (!this.#isOver()) {
      await this.#pause(1, 2_500);
      const { number: to, channelId } = world.pick(numbers);
      const n = ++this.#counter;
      const message = { id: `I${n}`, from, to, text: `in ${n}` };
      const webhook: Writable<Webhook> = {
        ...message,
        fate: "broken",
        sentMs: world.nowMs,
        answeredMs: null,
      };
      this.#webhooks.push(webhook);
      const offer = () =>
        ingress.append({
          kind: "inbound",
          key: `${channelId}:${message.id}`,
          at: Math.floor(world.nowMs),
          channelId,
          number: to,
          contact: from,
          text: message.text,
          providerId: message.id,
        });
      await this.insist(offer);
      webhook.fate = "accepted";
      webhook.answeredMs = world.nowMs;
      if (world.chance(0.15)) this.#start(() => this.#pause(1, 3_000).then(() => this.insist(offer)));
    }
  }

  async #send(): Promise<void> {
    const { world, numbers, contacts } = this.#options;
    while (!this.#isOver()) {
      await this.#pause(1, 1_200);
      const to = world.pick(contacts);
      const priority = world.chance(0.5) ? 0 : 1;
      const { number } = world.pick(numbers);
      if (world.chance(0.15)) await this.#command(number, to, { kind: "opt-out", source: "request" });
      if (world.chance(0.12)) await this.#command(number, to, { kind: "opt-in", source: "request" });
      await this.#command(number, to, { kind: "send", text: `out ${++this.#counter}`, priority });
    }
  }

  /** Takes what waits, answers it, and closes it now and then. */
  async #attend(extensionId: string): Promise<void> {
    const { world, tables } = this.#options;
    while (!this.#isOver()) {
      await this.#pause(200, 2_000);
      const open = [...tables.sessions.values()].filter(({ state }) => state !== "closed");
      if (open.length === 0) continue;
      const { id: sessionId, number, contact } = world.pick(open);
      const text = `out ${++this.#counter}`;
      await this.#command(number, contact, { kind: "accept", sessionId, extensionId }, extensionId);
      await this.#command(number, contact, { kind: "send", sessionId, text, priority: 0 }, extensionId);
      if (world.chance(0.3)) await this.#command(number, contact, { kind: "close", sessionId }, extensionId);
    }
  }

  /** Gives a command until it is answered, always under the same key. */
  async #command(number: string, contact: string, command: Command, extensionId?: string): Promise<void> {
    const { world, ingress, broker } = this.#options;
    const key = `command ${++this.#counter}`;
    const author = extensionId === undefined
      ? { kind: "key" as const, id: "key" }
      : { kind: "extension" as const, id: extensionId };
    for (let tries = 1;; tries++) {
      const replyTo = `${key}.${tries}`;
      const { promise: reply, resolve } = Promise.withResolvers<CommandReply | null>();
      broker.replies.set(replyTo, resolve);
      const giveUp = world.after(REPLY_MS_MAX, () => resolve(null));
      try {
        const at = Math.floor(world.nowMs);
        await ingress.append({ kind: "command", key, at, number, contact, author, replyTo, command });
      } catch {
        await this.#pause(50, 800);
      }
      const answer = await reply;
      giveUp();
      broker.replies.delete(replyTo);
      if (answer === null) continue;
      if (answer.ok && command.kind === "send" && answer.messageId !== undefined) {
        this.promised.push({ messageId: answer.messageId, text: command.text });
      }
      return;
    }
  }

  #pause(leastMs: number, mostMs: number): Promise<void> {
    const { world } = this.#options;
    return new Promise((resolve) => world.after(world.between(leastMs, mostMs), resolve));
  }
}
