/**
 * The members' signs of life: each puts its key into a KV bucket every half second and hears the puts of all.
 *
 * What is heard are the puts themselves, by a plain subscription: it has no state at the server that a restart
 * could lose. The bucket is for those who come later: its newest keys say who was alive a moment ago. It lives in the
 * server's memory, since what it holds is worth nothing after two seconds; a server that was restarted has lost it,
 * and it is made anew.
 *
 * Each member also listens under its own name. The broker forgets that the moment it sees the connection of a dead
 * process closed, and says so to whoever asks for the member.
 *
 * @module
 */
import { jetstream, type JetStreamClient, StorageType } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import { type Msg, type NatsConnection, RequestError, type Subscription } from "@nats-io/transport-node";
import {
  candidates,
  CUT_UNSURE_AFTER_MS,
  Liveness,
  type LivingMember,
  type MemberInfo,
  MISSED_AFTER_MS,
  UNSURE_AFTER_MS,
  untilNextSign,
} from "../../core/membership/liveness.ts";
import type { MembersView } from "../../core/membership/partition_keeper.ts";

export interface MembersOptions {
  readonly connection: NatsConnection;
  readonly bucket: string;
  readonly replicas: number;
  /** Under which the member of that id listens. */
  readonly subjectOf: (id: string) => string;
  readonly self: Omit<MemberInfo, "leaving" | "port" | "answers">;
  /** Somebody came, went, or says something new of itself. */
  readonly onChange: () => void;
  readonly onError: (error: Error) => void;
}

const KEPT_MS = 2_500;
const PUT_TIMEOUT_MS = 1_000;
/** Between two looks at who is silent. */
const WATCH_MS = 100;
const ASK_TIMEOUT_MS = 500;

export class Members implements MembersView {
  readonly #options: MembersOptions;
  readonly #js: JetStreamClient;
  readonly #liveness = new Liveness();
  #self: MemberInfo;
  /** Null before it is opened, and when it may be gone with the server's memory. */
  #bucket: Promise<KV> | null = null;
  #subscriptions: Subscription[] = [];
  /** Until the next sign, and to the next watch; undefined while it is no member. */
  #signTimer: ReturnType<typeof setTimeout> | undefined;
  #watchTimer: ReturnType<typeof setInterval> | undefined;
  /** Members that are being asked for. */
  readonly #asked = new Set<string>();
  /** Whether this member knows that it has no connection, or had none for so long that others may have missed it. */
  #isCut = false;
  /** Since when it has a connection; Infinity while it has none. */
  #connectedMs = -Infinity;
  /** When the newest put was sent that was taken. */
  #takenMs = -Infinity;
  #failing = false;

  constructor(options: MembersOptions) {
    this.#options = options;
    this.#js = jetstream(options.connection, { timeout: PUT_TIMEOUT_MS });
    this.#self = { ...options.self, port: 0, leaving: false, answers: true };
  }

  get me(): string {
    return this.#self.id;
  }

  /** Listens, gives the first sign, and looks who is there. Rejects when the broker is away. */
  async join(): Promise<void> {
    const { connection, bucket, subjectOf } = this.#options;
    this.#subscriptions = [
      connection.subscribe(subjectOf(this.me), {
        callback: (error, message) => {
          if (!error) message.respond();
        },
      }),
      connection.subscribe(`$KV.${bucket}.*`, {
        callback: (error, message) => {
          if (!error) this.#hear(message);
        },
      }),
    ];
    this.#followConnection();
    await this.#put();
    await this.#lookAround();
    this.#schedule();
    this.#watchTimer = setInterval(() => this.#watch(), WATCH_MS);
  }

  /** Tells the others where this member's HTTP server listens. */
  listensAt(port: number): void {
    this.#self = { ...this.#self, port };
  }

  living(): LivingMember[] {
    return this.#liveness.living(performance.now());
  }

  candidates(role: string): readonly string[] {
    return candidates(this.living(), role);
  }

  isAlive(member: string): boolean {
    return this.#liveness.isAlive(member, performance.now());
  }

  /** Since the newest sign of its own that was taken, ms; counted from when it was sent. */
  get silentMs(): number {
    return performance.now() - this.#takenMs;
  }

  isSure(): boolean {
    return this.silentMs < (this.#isCut ? CUT_UNSURE_AFTER_MS : UNSURE_AFTER_MS);
  }

  /** A sign now: the connection came back, perhaps to a server that has lost the bucket. */
  beatNow(): void {
    this.#bucket = null;
    if (this.#signTimer !== undefined) this.#beat();
  }

  /** Says that this member wants nothing more; its partitions stay its own until it gives them back. */
  async leave(): Promise<void> {
    this.#self = { ...this.#self, leaving: true };
    // It may have heard itself already; without the broker nobody hears it.
    await this.#put().catch(() => {});
  }

  /** Says that this member is gone. */
  async close(): Promise<void> {
    clearTimeout(this.#signTimer);
    clearInterval(this.#watchTimer);
    this.#signTimer = undefined;
    // The others find it out by themselves when they are not told.
    await this.#bucket?.then((bucket) => bucket.delete(this.me)).catch(() => {});
    for (const subscription of this.#subscriptions.splice(0)) subscription.unsubscribe();
  }

  /** Ends with the connection. */
  async #followConnection(): Promise<void> {
    for await (const { type } of this.#options.connection.status()) {
      if (type === "disconnect") {
        this.#isCut = true;
        this.#connectedMs = Infinity;
      }
      if (type !== "reconnect") continue;
      this.#connectedMs = performance.now();
      // Whoever missed it finds it alive with the next sign that is taken.
      this.#isCut = this.silentMs >= MISSED_AFTER_MS;
      this.#liveness.resume(this.#connectedMs);
    }
  }

  /** Looks who died, and asks for those who are silent. */
  #watch(): void {
    // Who is not heard itself cannot tell whose silence it is.
    if (!this.#isHeard) return;
    const nowMs = performance.now();
    if (this.#liveness.bury(nowMs)) this.#options.onChange();
    for (const id of this.#liveness.missed(nowMs)) {
      if (id !== this.me && !this.#asked.has(id)) this.#askFor(id, nowMs);
    }
  }

  get #isHeard(): boolean {
    return !this.#isCut && this.silentMs < MISSED_AFTER_MS;
  }

  async #askFor(id: string, nowMs: number): Promise<void> {
    const { connection, subjectOf, onChange } = this.#options;
    this.#asked.add(id);
    try {
      await connection.request(subjectOf(id), undefined, { timeout: ASK_TIMEOUT_MS });
    } catch (error) {
      const isGone = error instanceof RequestError && error.isNoResponders();
      if (isGone && this.#isHeard && this.#liveness.unreachable(id, nowMs)) onChange();
    } finally {
      this.#asked.delete(id);
    }
  }

  #schedule(): void {
    this.#signTimer = setTimeout(() => {
      this.#schedule();
      this.#beat();
    }, untilNextSign(Date.now()));
  }

  #beat(): void {
    this.#put().then(
      () => this.#failing = false,
      (error) => {
        if (!this.#failing) this.#options.onError(error as Error);
        this.#failing = true;
      },
    );
  }

  async #put(): Promise<void> {
    const sentMs = performance.now();
    const value = JSON.stringify(this.#self);
    const opening = this.#bucket ??= this.#openBucket();
    try {
      await (await opening).put(this.me, value, { timeout: PUT_TIMEOUT_MS });
    } catch (error) {
      // Without the bucket nobody answers, and nobody says so: this member itself listens on the subject.
      if (this.#bucket === opening) this.#bucket = null;
      throw error;
    }
    const nowMs = performance.now();
    // Whoever was silent to a member that could not hear may be alive.
    if (!this.isSure() && this.#takenMs > -Infinity) this.#liveness.resume(nowMs);
    this.#takenMs = Math.max(this.#takenMs, sentMs);
    if (sentMs >= this.#connectedMs) this.#isCut = false;
    if (this.#liveness.see(this.#self, sentMs)) this.#options.onChange();
  }

  async #openBucket(): Promise<KV> {
    const { bucket, replicas } = this.#options;
    return await new Kvm(this.#js).create(bucket, {
      history: 1,
      ttl: KEPT_MS,
      storage: StorageType.Memory,
      replicas,
    });
  }

  #hear(message: Msg): void {
    const id = message.subject.slice(message.subject.lastIndexOf(".") + 1);
    if (id === this.me) return;
    const isGone = message.headers?.has("KV-Operation") ?? false;
    const info = isGone ? null : parseMember(message.string());
    const changed = info === null
      ? isGone && this.#liveness.leave(id)
      : this.#liveness.see(info, performance.now());
    if (changed) this.#options.onChange();
  }

  /** What the bucket has was put a while ago: how long, the server's own times say. */
  async #lookAround(): Promise<void> {
    const entries = await (await this.#bucket!).history();
    const found: { info: MemberInfo; putMs: number }[] = [];
    let nowMs = 0;
    for await (const entry of entries) {
      const putMs = entry.created.getTime();
      nowMs = Math.max(nowMs, putMs);
      const info = entry.operation === "PUT" ? parseMember(entry.string()) : null;
      if (info !== null && info.id !== this.me) found.push({ info, putMs });
    }
    for (const { info, putMs } of found) this.#liveness.see(info, performance.now() - (nowMs - putMs));
  }
}

/** Null for what no member of this kind put there. */
function parseMember(text: string): MemberInfo | null {
  try {
    const info = JSON.parse(text) as MemberInfo;
    return typeof info.id === "string" && Array.isArray(info.roles) ? info : null;
  } catch {
    return null;
  }
}
