/**
 * Where every provider's sends meet: judged by the faults, recorded, followed by reports. The provider's file
 * turns the outcome into its own words.
 *
 * @module
 */
import { byProvider, type FaultState, type ProviderName, type Verdict } from "./faults.ts";
import { type CallLog, hashText } from "./record.ts";
import type { ReportDesk, ReportPlan } from "./reports.ts";
import type { ServerReply } from "./http_server.ts";

/** A send as a provider's file read it. */
export interface Send {
  readonly provider: ProviderName;
  readonly atMs: number;
  readonly from: string;
  readonly to: string;
  readonly text: string;
  /** Links of pictures and files. */
  readonly media?: readonly string[];
  readonly messageId: string | null;
  /** The provider's id for the call with this sequence. */
  readonly makeId: (sequence: number) => string;
  /** What is reported about it, given its id; null when nobody asked. */
  readonly plan: (providerId: string) => ReportPlan | null;
}

export type Outcome =
  | { readonly kind: "taken"; readonly providerId: string; readonly delayMs: number }
  | Extract<Verdict, { kind: "refuse" }>
  /** There is nothing to say: the line hangs or is cut. */
  | { readonly kind: "silent"; readonly reply: ServerReply };

type Counts = Record<ProviderName, number>;

export class SendDesk {
  #calls: Counts = byProvider(() => 0);
  #accepted: Counts = byProvider(() => 0);

  constructor(
    private readonly log: CallLog,
    private readonly reports: ReportDesk,
    private readonly stateOf: (provider: ProviderName) => FaultState,
    private readonly keepTexts: boolean,
  ) {}

  /** Sends that came in and that were taken, by provider. */
  get counts(): { readonly calls: Readonly<Counts>; readonly accepted: Readonly<Counts> } {
    return { calls: { ...this.#calls }, accepted: { ...this.#accepted } };
  }

  resetCounts(): void {
    this.#calls = byProvider(() => 0);
    this.#accepted = byProvider(() => 0);
  }

  /** Judges and records a well-formed send. `statusOf` gives the HTTP status that the answer will have. */
  take(send: Send, statusOf: (outcome: Exclude<Outcome, { kind: "silent" }>) => number): Outcome {
    const verdict = this.stateOf(send.provider).judge(send.from, send.to, send.atMs);
    if (verdict.kind === "refuse") {
      this.#record(
        send,
        null,
        statusOf(verdict),
        verdict.code === undefined ? verdict.why : String(verdict.code),
      );
      return verdict;
    }
    if (verdict.kind === "drop") {
      this.#record(send, null, verdict.line, null);
      return { kind: "silent", reply: { kind: verdict.line } };
    }
    const providerId = send.makeId(this.log.nextSequence);
    const outcome = { kind: "taken", providerId, delayMs: verdict.delayMs } as const;
    this.#record(send, providerId, verdict.line === "answer" ? statusOf(outcome) : verdict.line, null);
    const plan = send.plan(providerId);
    if (plan !== null) this.reports.follow(send.provider, plan);
    return verdict.line === "answer" ? outcome : { kind: "silent", reply: { kind: verdict.line } };
  }

  /** Records a send that the provider's own rules refuse: wrong credentials, a missing field. */
  refuse(send: Omit<Send, "makeId" | "plan">, status: number, code: string): void {
    this.#record(send, null, status, code);
  }

  #record(
    send: Omit<Send, "makeId" | "plan">,
    providerId: string | null,
    answer: number | "hang" | "cut",
    code: string | null,
  ): void {
    this.#calls[send.provider]++;
    if (providerId !== null) this.#accepted[send.provider]++;
    this.log.add({
      atMs: send.atMs,
      provider: send.provider,
      from: send.from,
      to: send.to,
      text: this.keepTexts ? send.text : null,
      textHash: hashText(send.text),
      ...(send.media === undefined ? {} : { media: send.media }),
      messageId: send.messageId,
      providerId,
      accepted: providerId !== null,
      answer,
      code,
    });
  }
}
