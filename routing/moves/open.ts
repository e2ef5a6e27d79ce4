/**
 * An agent opens a session with a contact.
 *
 * @module
 */
import type { CommandEntry, CommandReply } from "../../core/entry.ts";
import type { Draft } from "../draft.ts";
import { holderIn, holderName, refuse } from "../refusal.ts";

/** The session that the extension has with the contact already is answered with. */
export function open(draft: Draft, entry: CommandEntry, extensionId: string): CommandReply {
  const { session, directory, number } = draft;
  if (!directory.extensions.has(extensionId)) {
    return refuse(422, "unknown-extension", `there is no extension ${extensionId}`);
  }
  if (number.allowedExtensions.length > 0 && !number.allowedExtensions.includes(extensionId)) {
    return refuse(
      403,
      "number-not-allowed",
      `extension ${extensionId} may not open sessions from ${entry.number}`,
    );
  }
  if (session === null) {
    const opened = draft.open({ kind: "extension", id: extensionId }, `extension:${extensionId}`);
    return { ok: true, sessionId: opened.id };
  }
  if (session.extension_id === extensionId) return { ok: true, sessionId: session.id };
  return {
    ...refuse(
      409,
      "session-open",
      `an open session with this contact is held by ${holderName(session, directory)}`,
    ),
    ...holderIn(session),
  };
}
