/**
 * What a gateway's answers mean, by its rules.
 *
 * @module
 */
import type { ErrorClass } from "../../../core/errors.ts";
import type { HttpAnswer, SendResult } from "../../../core/ports/provider.ts";
import { errorOfStatus, failed } from "../answers.ts";
import { parseDocument, textAt } from "./document.ts";
import type { ErrorRule, Gateway } from "./gateway.ts";
import { percentEncode } from "./places.ts";

/** Rules look at this much of an answer. */
const LOOKED_AT_MAX = 8_192;
const EXCERPT_MAX = 120;

interface Fault {
  readonly class: ErrorClass;
  readonly reason: string;
}

/** An answer as the rules see it; it is taken apart only if one asks. */
interface Answer {
  readonly status: number;
  readonly text: string;
  readonly tree: () => unknown;
}

function lookAt(answer: HttpAnswer): Answer {
  let tree: { readonly value: unknown } | undefined;
  return {
    status: answer.status,
    text: readable(answer.body.slice(0, LOOKED_AT_MAX)),
    tree: () => (tree ??= { value: parseDocument(answer.body) }).value,
  };
}

/** JSON may write `ú` as `\u00fa`; whoever writes a rule has the letter in mind. */
function readable(text: string): string {
  if (!text.includes("\\u")) return text;
  return text.replace(/\\u([0-9A-Fa-f]{4})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

function fits(rule: ErrorRule, { status, text, tree }: Answer): boolean {
  return (rule.status?.includes(status) ?? true) && (rule.pattern?.test(text) ?? true) &&
    (rule.path === undefined || textAt(tree(), [rule.path])?.toLowerCase() === rule.value);
}

function codeIn({ text, tree }: Answer, gateway: Gateway): string | undefined {
  const { codePaths } = gateway.settings;
  const found = gateway.codePattern?.exec(text)?.[1] ??
    (codePaths.length === 0 ? undefined : textAt(tree(), codePaths));
  return found?.trim() || undefined;
}

function idIn(answer: HttpAnswer, { text, tree }: Answer, gateway: Gateway): string | null {
  const { idPaths, idHeader } = gateway.settings;
  const id = gateway.idPattern?.exec(text)?.[1] ??
    (idPaths.length === 0 ? undefined : textAt(tree(), idPaths)) ??
    (idHeader === undefined ? undefined : answer.headers[idHeader.toLowerCase()]);
  const trimmed = id?.trim();
  return trimmed !== undefined && /^[\x21-\x7e]{1,128}$/.test(trimmed) ? trimmed : null;
}

/** Some gateways repeat what they were called with: the credentials must not get into a reason that people read. */
function masked(text: string, gateway: Gateway): string {
  const { password, charset } = gateway.settings;
  if (password === undefined || password === "") return text;
  const forms = [password, percentEncode(password, charset, "%20"), percentEncode(password, charset, "+")];
  return forms.reduce((rest, form) => rest.replaceAll(form, "***"), text);
}

/** The beginning of the answer, for a person; "" for pages and empty answers. */
function excerpt({ text }: Answer, gateway: Gateway): string {
  const plain = masked(text, gateway).replace(/[\s\p{Cc}]+/gu, " ").trim();
  return plain === "" || plain.startsWith("<") ? "" : `: ${plain.slice(0, EXCERPT_MAX)}`;
}

function succeeded({ status, text, tree }: Answer, gateway: Gateway): boolean {
  const { successContains, successPath } = gateway.settings;
  const value = successPath === undefined ? undefined : textAt(tree(), [successPath]);
  return isSuccessStatus(status, gateway) &&
    (successContains === undefined || text.includes(successContains)) &&
    (gateway.successPattern?.test(text) ?? true) && !(gateway.failurePattern?.test(text) ?? false) &&
    (successPath === undefined || gateway.successValues.has(value?.trim().toLowerCase() ?? ""));
}

function isSuccessStatus(status: number, { settings }: Gateway): boolean {
  return settings.successStatus?.includes(status) ?? (status >= 200 && status < 300);
}

/** The error that an answer tells of, or null where it tells of none. */
function errorIn(seen: Answer, code: string | undefined, gateway: Gateway): Fault | null {
  const { unmatched, errorRulesFor } = gateway.settings;
  const said = excerpt(seen, gateway);
  const meaning = code === undefined ? undefined : gateway.codes.get(code);
  if (meaning === "success") return null;
  if (meaning !== undefined) return { class: meaning, reason: `the gateway refused the message${said}` };
  const isSuccess = succeeded(seen, gateway);
  if (isSuccess && errorRulesFor === "failures") return null;
  const rule = gateway.errorRules.find((rule) => fits(rule, seen));
  if (rule !== undefined) {
    return { class: rule.class, reason: rule.reason ?? `the gateway refused the message${said}` };
  }
  if (isSuccess) return null;
  if (isSuccessStatus(seen.status, gateway)) {
    return { class: unmatched, reason: `the answer does not match the channel's success rules${said}` };
  }
  const { class: errorClass, reason } = errorOfStatus(seen.status);
  return { class: errorClass, reason: `${reason}${said}` };
}

/** What the answer to a send means. */
export function readAnswer(gateway: Gateway, answer: HttpAnswer): SendResult {
  const seen = lookAt(answer);
  const code = codeIn(seen, gateway);
  const error = errorIn(seen, code, gateway);
  if (error === null) return { kind: "accepted", providerId: idIn(answer, seen, gateway) };
  const result = failed(answer, { ...error, ...(code !== undefined && { code }) });
  const { throttleSeconds } = gateway.settings;
  if (error.class !== "throttled" || throttleSeconds === undefined || result.kind !== "failed") return result;
  return { ...result, retryAfterMs: result.retryAfterMs ?? throttleSeconds * 1_000 };
}

/** A balance names the credit: where rules are for failures only, they say nothing of an answer that is none. */
function checkRules({ settings, errorRules }: Gateway): readonly ErrorRule[] {
  return settings.errorRulesFor === "all" ? errorRules : [];
}

/** What the answer to the check means. Without an address of its own it proves nothing but a connection. */
export function readCheck(
  gateway: Gateway,
  answer: HttpAnswer,
): { readonly ok: boolean; readonly reason: string } {
  if (gateway.checkUrl === undefined) {
    return answer.status >= 500 ? { ok: false, reason: errorOfStatus(answer.status).reason } : {
      ok: true,
      reason: "the gateway can be reached; without a check address its credentials are not proved",
    };
  }
  if (answer.status < 200 || answer.status > 299) {
    return { ok: false, reason: errorOfStatus(answer.status).reason };
  }
  const seen = lookAt(answer);
  const said = excerpt(seen, gateway);
  if (gateway.checkPattern !== undefined) {
    return gateway.checkPattern.test(seen.text)
      ? { ok: true, reason: "the gateway accepts the credentials" }
      : { ok: false, reason: `the answer does not match the check pattern${said}` };
  }
  // What a send is answered with is not what a balance looks like: its success rules do not count here.
  const rule = checkRules(gateway).find((rule) => fits(rule, seen));
  return rule === undefined && !(gateway.failurePattern?.test(seen.text) ?? false)
    ? { ok: true, reason: "the gateway answers the check address with success" }
    : { ok: false, reason: rule?.reason ?? `the gateway refused the check${said}` };
}
