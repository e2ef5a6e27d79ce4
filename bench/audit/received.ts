/**
 * Receiving: what was answered 2xx is stored exactly once, in its place and in order.
 *
 * @module
 */
import type { Findings } from "./findings.ts";
import type { StoredMessage, StoredSession, Webhook } from "./run.ts";

/** Accepted ⊆ stored, nothing stored twice, nothing that nobody wrote. */
export function checkReceived(
  webhooks: readonly Webhook[],
  messages: readonly StoredMessage[],
  found: Findings,
): void {
  const times = new Map<string, number>();
  const written = new Map<string, Webhook>();
  for (const webhook of webhooks) {
    if (written.has(webhook.text)) {
      found.fault("written twice with the same text: it cannot be told apart", webhook.id);
    }
    written.set(webhook.text, webhook);
  }
  for (const message of messages) {
    if (message.direction !== "inbound") continue;
    const webhook = written.get(message.text);
    if (webhook === undefined) {
      found.fault("stored, but nobody wrote it", message.id);
      continue;
    }
    times.set(message.text, (times.get(message.text) ?? 0) + 1);
    if (message.contact !== webhook.from || message.number !== webhook.to) {
      found.fault("stored in another's place", webhook.text);
    } else if (message.providerId !== null && message.providerId !== webhook.id) {
      found.fault("stored under another's provider id", webhook.text);
    }
  }
  for (const { text, fate } of written.values()) {
    const stored = times.get(text) ?? 0;
    if (fate === "accepted") found.looked++;
    if (fate === "accepted" && stored === 0) found.fault("accepted and lost", text);
    if (stored > 1) found.fault("stored more than once", `${text} (${stored} times)`);
  }
}

/**
 * The order in each conversation: what was answered before another was offered stands before it, whatever was
 * repeated or overtaken on the way.
 */
export function checkReceivedOrder(
  webhooks: readonly Webhook[],
  messages: readonly StoredMessage[],
  found: Findings,
): void {
  const written = new Map(webhooks.map((webhook) => [webhook.text, webhook]));
  for (const conversation of byConversation(messages, "inbound")) {
    let latestSentMs = -Infinity;
    for (const { text } of conversation) {
      const webhook = written.get(text);
      if (webhook === undefined) continue;
      found.looked++;
      if (webhook.answeredMs !== null && webhook.answeredMs < latestSentMs) {
        found.fault("stored after what was offered later", text);
      }
      latestSentMs = Math.max(latestSentMs, webhook.sentMs);
    }
  }
}

/** Positions count from 1 without gaps in every conversation, at most one session of it is open, and every status is the last of its history. */
export function checkConversations(
  messages: readonly StoredMessage[],
  sessions: readonly StoredSession[],
  found: Findings,
): void {
  for (const conversation of byConversation(messages)) {
    found.looked++;
    const isRight = conversation.every(({ position }, index) => position === index + 1);
    if (!isRight) found.fault("positions with gaps or repeats", conversation[0]!.conversation);
  }
  for (const { id, status, steps } of messages) {
    if (steps.at(-1) !== status) {
      found.fault("a status that its history does not end with", `${id} (${status})`);
    }
  }
  const open = sessions.filter(({ state }) => state !== "closed");
  for (const [id, list] of Map.groupBy(open, ({ conversation }) => conversation)) {
    if (list.length > 1) found.fault("more than one open session", id);
  }
}

/** The messages of each conversation by position. */
export function byConversation(
  messages: readonly StoredMessage[],
  direction?: StoredMessage["direction"],
): StoredMessage[][] {
  const wanted = direction === undefined ? messages : messages.filter((one) => one.direction === direction);
  return [...Map.groupBy(wanted, ({ conversation }) => conversation).values()]
    .map((list) => list.sort((a, b) => a.position - b.position));
}
