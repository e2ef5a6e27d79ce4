/**
 * Answers platforms' requests over NATS: reply, route, close, tag, follow. Every process may answer; a queue group sees to
 * it that one does.
 *
 * @module
 */
import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node";
import { repeatableKey, singleKey } from "../../core/command_key.ts";
import type { Command } from "../../core/entry.ts";
import { assertNever } from "../../core/errors.ts";
import { fieldErrors } from "../../core/fields.ts";
import { checkOutgoing } from "../../core/outgoing.ts";
import type { DirectorySource } from "../../core/ports/directory.ts";
import { type Ingress, UnavailableError } from "../../core/ports/ingress.ts";
import type { Provider } from "../../core/ports/provider.ts";
import type { SessionQueries } from "../../core/ports/runtime_queries.ts";
import type { SessionRow } from "../../core/session.ts";
import { invalid, type PlatformAnswer, type PlatformProblem, problem } from "./answer.ts";
import type { Feed } from "./feeds.ts";
import {
  type FollowRequest,
  type PlatformRequest,
  PlatformRequestSchema,
  type SessionRequest,
} from "../../core/platforms/requests.ts";

export interface PlatformCommandsOptions {
  readonly connection: NatsConnection;
  /** `Names.platformCommands`: all platforms' subjects; the platform's id is the last token but one. */
  readonly subject: string;
  readonly ingress: Ingress;
  readonly sessions: Pick<SessionQueries, "get">;
  readonly directory: DirectorySource;
  readonly providers: ReadonlyMap<string, Provider>;
  /** Makes the consumer ready that the platform reads; null when it has none of that name. */
  readonly openFeed: (platformId: string, request: FollowRequest) => Promise<Feed | null>;
  readonly now: () => number;
  /** Told of faults that became a 500. */
  readonly onError: (error: unknown) => void;
}

const QUEUE_GROUP = "platform-commands";
const BYTES_MAX = 65_536;
const UNDER_WAY_MAX = 256;
const NOT_POSSIBLE = "The request cannot be carried out";

export class PlatformCommands {
  readonly #options: PlatformCommandsOptions;
  readonly #underWay = new Set<Promise<void>>();
  #subscription: Subscription | null = null;

  constructor(options: PlatformCommandsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#subscription = this.#options.connection.subscribe(this.#options.subject, {
      queue: QUEUE_GROUP,
      callback: (error, message) => {
        if (error) return this.#options.onError(error);
        const task: Promise<void> = this.#serve(message).finally(() => this.#underWay.delete(task));
        this.#underWay.add(task);
      },
    });
  }

  /** Takes no more requests, and resolves when those under way are answered. */
  async stop(): Promise<void> {
    this.#subscription?.unsubscribe();
    this.#subscription = null;
    await Promise.all(this.#underWay);
  }

  async #serve(message: Msg): Promise<void> {
    const answer = this.#underWay.size >= UNDER_WAY_MAX
      ? unavailable(new UnavailableError("too many requests are under way"))
      : await this.#answer(message).catch((error) => this.#fault(error));
    // A connection that is closed meanwhile leaves nobody to tell.
    if (isInbox(message.reply) && !this.#options.connection.isClosed()) {
      message.respond(JSON.stringify(answer));
    }
  }

  async #answer(message: Msg): Promise<PlatformAnswer> {
    const { directory, sessions } = this.#options;
    const platformId = message.subject.split(".").at(-2) ?? "";
    if (directory.current().platforms.get(platformId)?.enabled !== true) {
      return problem(403, "unknown-platform", "Not allowed", `there is no enabled platform ${platformId}`);
    }
    const request = read(message.data);
    if ("status" in request) return request;
    if (request.type === "follow") return await this.#follow(platformId, request);
    const session = await sessions.get(request.sessionId);
    if (session === undefined || !concerns(platformId, session)) {
      return problem(404, "not-found", "Not found", `there is no session ${request.sessionId}`);
    }
    const refusal = request.type === "reply" ? this.#check(request, session) : null;
    return refusal ?? await this.#execute(platformId, session, request);
  }

  async #follow(platformId: string, request: FollowRequest): Promise<PlatformAnswer> {
    const feed = await this.#options.openFeed(platformId, request);
    if (feed !== null) return { ok: true, ...feed };
    return invalid([{ field: "consumer", message: "is none of this platform's consumers" }]);
  }

  #check(request: SessionRequest & { type: "reply" }, session: SessionRow): PlatformProblem | null {
    const directory = this.#options.directory.current();
    const channelId = directory.numbersByAddress.get(session.number)?.channelId ?? "";
    const channel = directory.channels.get(channelId);
    if (channel === undefined) {
      return problem(
        409,
        "unknown-number",
        "Conflict",
        `${session.number} is no longer one of the configured numbers`,
      );
    }
    const supportsMedia = this.#options.providers.get(channel.provider)?.supports.mms === true;
    const { text, media } = request;
    const check = checkOutgoing(channel, supportsMedia, { to: session.contact, text, media });
    switch (check.kind) {
      case "fits":
        return null;
      case "invalid":
        return invalid(check.errors);
      case "impossible":
        return problem(
          422,
          "not-supported",
          NOT_POSSIBLE,
          check.errors.map((error) => error.message).join("; "),
          {
            errors: check.errors,
          },
        );
      case "disabled":
        return problem(409, "channel-disabled", "Conflict", check.detail);
      default:
        return assertNever(check);
    }
  }

  async #execute(platformId: string, session: SessionRow, request: SessionRequest): Promise<PlatformAnswer> {
    const at = this.#options.now();
    const reply = await this.#options.ingress.execute({
      key: request.idempotencyKey === undefined
        ? singleKey(at)
        : repeatableKey(platformId, request.idempotencyKey, session.id, request.type),
      at,
      number: session.number,
      contact: session.contact,
      author: { kind: "platform", id: platformId },
      command: commandOf(request),
    });
    if (reply.ok) return reply;
    const title = reply.status === 409 ? "Conflict" : reply.status === 403 ? "Not allowed" : NOT_POSSIBLE;
    return problem(
      reply.status,
      reply.code,
      title,
      reply.detail,
      reply.holder ? { holder: reply.holder } : {},
    );
  }

  #fault(error: unknown): PlatformProblem {
    if (error instanceof UnavailableError) return unavailable(error);
    this.#options.onError(error);
    return problem(500, "internal", "Internal error", "something went wrong here; the log has the details");
  }
}

function commandOf(request: SessionRequest): Command {
  const { sessionId } = request;
  switch (request.type) {
    case "reply": {
      const { text, media } = request;
      return { kind: "send", sessionId, text, priority: 0, ...(media.length === 0 ? {} : { media }) };
    }
    case "route": {
      const { to, note } = request;
      return { kind: "transfer", sessionId, to, ...(note === undefined ? {} : { note }) };
    }
    case "close":
      return { kind: "close", sessionId };
    case "tag": {
      const { add, remove } = request;
      return { kind: "tag", sessionId, ...(add && { add }), ...(remove && { remove }) };
    }
    default:
      return assertNever(request);
  }
}

function read(data: Uint8Array): PlatformRequest | PlatformProblem {
  if (data.length > BYTES_MAX) {
    return problem(
      413,
      "too-large",
      "The body is too large",
      `a request may have at most ${BYTES_MAX} bytes`,
    );
  }
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data));
  } catch {
    return problem(400, "bad-request", "The request does not fit", "the request is not valid JSON");
  }
  const parsed = PlatformRequestSchema.safeParse(body);
  return parsed.success ? parsed.data : invalid(fieldErrors(parsed.error));
}

/**
 * Whether an answer may go there. Where platforms are users of the account that we are in, they could name any subject,
 * and we may write to all of them. Answers to other accounts have a subject that the server makes.
 */
function isInbox(reply: string | undefined): boolean {
  return reply !== undefined && /^(?:_INBOX\.|_R_\.)/.test(reply);
}

/** Whether the platform holds the session or had a hand in it: then its owner has the last word. */
function concerns(platformId: string, session: SessionRow): boolean {
  return session.platform_id === platformId ||
    session.history.some((step) => step.by === `platform:${platformId}`);
}

function unavailable(error: UnavailableError): PlatformProblem {
  return problem(503, "unavailable", "Not available now", error.message, {
    retryAfter: error.retryAfterSeconds,
  });
}
