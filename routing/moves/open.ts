/**
 * An agent opens a session with a contact.
 *
 * @module
 */
import type { OwnNumber } from "../../core/channel.ts";
import type { Directory } from "../../core/directory.ts";
import type { Command, CommandReply } from "../../core/entry.ts";
import { mayWriteFrom } from "../../core/number_use.ts";
import type { Draft } from "../draft.ts";
import { extensionName, holderIn, holderName, refuse } from "../refusal.ts";
import { reopen } from "./close.ts";

/** The session that the extension has with the contact already is answered with. */
export function open(
  draft: Draft,
  { extensionId, queueId }: Extract<Command, { kind: "open" }>,
): CommandReply {
  const { session, directory, number } = draft;
  if (!directory.extensions.has(extensionId)) {
    return refuse(422, "unknown-extension", `there is no extension ${extensionId}`);
  }
  if (number.purpose === "in-call") {
    return refuse(409, "for-calls-only", `sessions of ${number.number} are opened by calls only`);
  }
  const by = `extension:${extensionId}`;
  const refusal = notAllowed(number, extensionId, queueId, directory);
  if (refusal !== null) return refusal;
  if (session === null) {
    const opened = draft.open({ kind: "extension", id: extensionId }, by, { queue_id: queueId ?? null });
    return { ok: true, sessionId: opened.id };
  }
  if (session.extension_id === extensionId) {
    if (session.state === "wrap-up") reopen(draft, by);
    return { ok: true, sessionId: session.id };
  }
  return {
    ...refuse(
      409,
      "session-open",
      `an open session with this contact is held by ${holderName(session, directory)}`,
    ),
    ...holderIn(session),
  };
}

/** Why the extension may not open a session from the number, for the queue if one is named. */
function notAllowed(
  number: OwnNumber,
  extensionId: string,
  queueId: string | undefined,
  directory: Directory,
): CommandReply & { ok: false } | null {
  const who = extensionName(extensionId, directory);
  if (!mayWriteFrom(number, extensionId, directory)) {
    return refuse(403, "number-not-allowed", `${who} may not open sessions from ${number.number}`);
  }
  if (queueId === undefined) return null;
  const queue = directory.queues.get(queueId);
  if (queue === undefined) return refuse(422, "unknown-queue", `there is no queue ${queueId}`);
  if (!queue.members.has(extensionId)) {
    return refuse(403, "not-a-member", `${who} is not a member of the queue ${queue.name}`);
  }
  if (number.allowedQueues.length > 0 && !number.allowedQueues.includes(queueId)) {
    return refuse(403, "number-not-allowed", `the queue ${queue.name} may not write from ${number.number}`);
  }
  return null;
}
