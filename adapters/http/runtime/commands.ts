/**
 * Commands of the API: put in their conversation's log, answered by its owner.
 *
 * @module
 */
import type { OwnNumber } from "../../../core/channel.ts";
import type { ApiKey, Directory } from "../../../core/directory.ts";
import type { Command, CommandReply } from "../../../core/entry.ts";
import { repeatableKey, singleKey } from "../../../core/command_key.ts";
import type { OutgoingCheck } from "../../../core/outgoing.ts";
import { parseAddress } from "../../../core/phone_number.ts";
import type { DispatchLog } from "../../../core/ports/dispatch_log.ts";
import type { Ingress } from "../../../core/ports/ingress.ts";
import { invalidFields, Problem, type ProblemStatus } from "../problem.ts";
import { authorOf } from "./caller.ts";

/** Whom a command is for, who gives it and how a repeat of it is known. */
export interface CommandContext {
  readonly ingress: Ingress;
  readonly directory: Directory;
  readonly now: () => number;
  readonly key: ApiKey;
  /** The header of that name. */
  readonly idempotencyKey: string | undefined;
  readonly path: string;
}

/**
 * Resolves when the command's effect is committed.
 *
 * @throws {Problem} when the conversation's owner refused it
 * @throws {UnavailableError} when no answer came
 */
export async function carryOut(
  context: CommandContext,
  conversation: { readonly number: string; readonly contact: string },
  command: Command,
): Promise<CommandReply & { ok: true }> {
  const { key } = context;
  const reply = await context.ingress.execute({
    key: keyOf(context),
    at: context.now(),
    number: conversation.number,
    contact: conversation.contact,
    author: authorOf(key),
    command,
  });
  if (reply.ok) return reply;
  throw refused(reply, context.directory);
}

/**
 * Has the dispatcher let an extension take a waiting session, if there is room; resolves when it is taken.
 *
 * @throws {Problem} when there is no room, or the conversation's owner refused it
 * @throws {UnavailableError} when no answer came
 */
export async function claim(
  context: CommandContext,
  dispatch: DispatchLog,
  what: { readonly sessionId: string; readonly extensionId: string },
): Promise<CommandReply & { ok: true }> {
  const reply = await dispatch.ask({ kind: "claim", key: keyOf(context), at: context.now(), ...what });
  if (reply.ok) return reply;
  throw refused(reply, context.directory);
}

function keyOf({ key, idempotencyKey, path, now }: CommandContext): string {
  return idempotencyKey === undefined ? singleKey(now()) : repeatableKey(key.id, idempotencyKey, path);
}

const STATUSES: ReadonlySet<number> = new Set<ProblemStatus>([400, 403, 404, 409, 413, 422, 503]);

function isProblemStatus(status: number): status is ProblemStatus {
  return STATUSES.has(status);
}

/** The refusal as a problem; who holds the session is told by name. */
function refused(reply: CommandReply & { ok: false }, directory: Directory): Problem {
  const { code, holder } = reply;
  const extension = holder === undefined ? undefined : directory.extensions.get(holder.extensionId);
  return new Problem(isProblemStatus(reply.status) ? reply.status : 500, sentence(reply.detail), {
    code,
    members: {
      code,
      ...(holder === undefined ? {} : {
        holder: {
          extensionId: holder.extensionId,
          ...(extension === undefined ? {} : { extension: extension.extension, name: extension.name }),
        },
      }),
    },
  });
}

/** Ends the request unless the text can leave through its channel. */
export function fitting(check: OutgoingCheck): OutgoingCheck & { kind: "fits" } {
  switch (check.kind) {
    case "fits":
      return check;
    case "invalid":
      throw invalidFields(check.errors);
    case "impossible":
      throw new Problem(422, sentence(check.errors.map((error) => error.message).join("; ")), {
        code: "not-supported",
        errors: check.errors,
      });
    case "disabled":
      throw new Problem(409, sentence(check.detail), { code: "channel-disabled" });
  }
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** One of our numbers by its id or by itself. */
export function ownNumber(directory: Directory, text: string, field = "from"): OwnNumber {
  const number = directory.numbers.get(text) ?? directory.numbersByAddress.get(text) ??
    directory.numbersByAddress.get(parseAddress(text)?.value ?? "");
  if (number === undefined) {
    throw invalidFields([{ field, message: `${text} is not one of the configured numbers` }]);
  }
  return number;
}

/** The extension that a command is about: an agent's own; anybody else names one. */
export function actingExtension(key: ApiKey, asked: string | undefined): string {
  if (key.role === "agent") {
    const own = key.extensionId ?? "";
    if (asked === undefined || asked === own) return own;
    throw new Problem(403, "An agent acts for its own extension only.");
  }
  if (asked === undefined) {
    throw invalidFields([{ field: "extensionId", message: "is needed with a key that has no extension" }]);
  }
  return asked;
}

/** Also the answer where there is one that the caller may not know of. */
export function noSession(id: string): Problem {
  return new Problem(404, `There is no session ${id}.`);
}
