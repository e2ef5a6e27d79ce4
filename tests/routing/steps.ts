/**
 * Steps of one conversation, for tests of decisions.
 *
 * @module
 */
import type { CommandEntry, InboundEntry } from "../../core/entry.ts";
import {
  type ConversationState,
  decide,
  type Decision,
  NEW_CONVERSATION,
} from "../../routing/conversation.ts";
import { BOB, CHANNEL, DIRECTORY, TO_QUEUE } from "./directory.ts";

const CONTACT = "+14155550177";
export const T0 = 1_800_000_000_000;
let sequence = 0;

export type Author = CommandEntry["author"];
export const DISPATCHER: Author = { kind: "system", id: "dispatcher" };
export const agent = (id: string): Author => ({ kind: "extension", id });

export function act(
  state: ConversationState,
  author: Author,
  command: CommandEntry["command"],
  at = T0 + 1_000,
  directory = DIRECTORY,
): Decision {
  const number = state.session?.number ?? TO_QUEUE.number;
  return decide(
    state,
    { kind: "command", key: `k${++sequence}`, at, number, contact: CONTACT, author, command },
    { directory, position: { partition: 3, sequence, entry: 0 } },
  );
}

export function write(
  state: ConversationState,
  number = TO_QUEUE.number,
  at = T0,
  directory = DIRECTORY,
  text = "hello",
): Decision {
  const entry: InboundEntry = {
    kind: "inbound",
    key: `k${++sequence}`,
    at,
    channelId: CHANNEL.id,
    number,
    contact: CONTACT,
    text,
  };
  return decide(state, entry, { directory, position: { partition: 3, sequence, entry: 0 } });
}

export const waiting = () => write(NEW_CONVERSATION).state;
export const offer = (state: ConversationState, extensionId = BOB, autoAccept = false): Decision =>
  act(state, DISPATCHER, {
    kind: "offer",
    sessionId: state.session!.id,
    extensionId,
    untilMs: T0 + 31_000,
    version: state.session!.version,
    autoAccept,
  });
export const offered = () => offer(waiting()).state;
export const active = () => offer(waiting(), BOB, true).state;
export const types = ({ events }: Decision) => events.map(({ type }) => type);
