/**
 * SMS Masivos: two companies of one name, told apart by a setting.
 *
 * @module
 */
import type { Channel } from "../../core/channel.ts";
import type { Provider, ProviderPoll } from "../../core/ports/provider.ts";
import { failed } from "./answers.ts";
import { STATUS_ERRORS, WEBHOOK_AUTHENTICATION } from "./generic/description.ts";
import { readWebhook } from "./generic/webhook.ts";
import { unreadable } from "./inbound.ts";
import {
  AR_ERRORS,
  buildPollAr,
  buildSendAr,
  buildVerifyAr,
  readPollAr,
  readSendAr,
  readVerifyAr,
} from "./smsmasivo_ar.ts";
import { buildSendMx, buildVerifyMx, MX_ERRORS, readSendMx, readVerifyMx } from "./smsmasivo_mx.ts";
import { type SmsMasivo, SmsMasivoCredentialsSchema, smsMasivoOf } from "./smsmasivo_settings.ts";

const INCOMPLETE = "the channel's settings are incomplete";

function required(channel: Channel): SmsMasivo {
  const masivo = smsMasivoOf(channel);
  if (masivo === null) throw new Error(`channel ${channel.id} has settings that do not fit its provider`);
  return masivo;
}

const isMexico = ({ settings }: SmsMasivo) => settings.variant === "mx";

const answers: ProviderPoll = {
  name: "answers",
  intervalMs(channel) {
    const masivo = smsMasivoOf(channel);
    if (masivo === null || isMexico(masivo) || masivo.settings.inboundNumber === undefined) return null;
    return masivo.settings.pollSeconds === 0 ? null : masivo.settings.pollSeconds * 1_000;
  },
  build: (channel, mark) => buildPollAr(required(channel), mark),
  read(answer, channel, mark) {
    const masivo = smsMasivoOf(channel);
    return masivo === null
      ? { kind: "failed", error: { class: "bad-response", reason: INCOMPLETE } }
      : readPollAr(answer, masivo, mark);
  },
};

export const smsmasivo: Provider = {
  kind: "smsmasivo",
  title: "SMS Masivos (Argentina, Uruguay, Guatemala; Mexico)",
  credentials: SmsMasivoCredentialsSchema,
  // The text is refused or changed here, where its author can see it, and not by the service.
  defaults: {
    rateMps: 5,
    burst: 5,
    costUnit: "message",
    maxTextLength: 160,
    encoding: "gsm7",
    substitution: "ascii",
  },
  description: {
    docsUrl: "https://github.com/SMS-Masivos/mcp-server",
    authentication: WEBHOOK_AUTHENTICATION,
    facts: [
      {
        fact: "Mexico: POST /sms/send with the key in the header apikey; reference is the id",
        source: "documented",
      },
      {
        fact: "Mexico: up to 1600 characters, 60 calls a minute: set maxTextLength and rateMps 1",
        source: "documented",
      },
      {
        fact: "Argentina: forms in Latin-1 to /enviar_sms.asp, answered code;words; 0 and 1 are successes",
        source: "assumed",
      },
      {
        fact: "Argentina: 160 characters of letters without accents, digits and !?#$%()*+-./:;=@,",
        source: "assumed",
      },
      {
        fact: "Argentina: numbers as 10 digits, Uruguay and Guatemala as 8, without 0 and 15",
        source: "assumed",
      },
      {
        fact: "Argentina: contacts' answers are fetched every 10 s; they come from a shared short code",
        source: "assumed",
      },
      { fact: "Argentina: no delivery reports, the last state is sent", source: "assumed" },
      {
        fact: "Webhooks of both: names of fields can be set; their documents are not public",
        source: "assumed",
      },
      {
        fact: "Mexico: delivered, failed, pending (sent) and not_charged (rejected) in reports",
        source: "assumed",
      },
      { fact: "Argentina: 5 messages a second", source: "assumed" },
    ],
    errors: [
      ...MX_ERRORS.described,
      {
        code: "sms_… (Mexico, others)",
        class: "rejected",
        reason: "the service refused the message",
        source: "assumed",
      },
      ...AR_ERRORS.described,
      {
        code: "saldo, crédito, paquete (Argentina)",
        class: "no-credit",
        reason: "the account is out of credit",
        source: "assumed",
      },
      {
        code: "usuario, clave, apikey, ip (Argentina)",
        class: "auth",
        reason: "the service refused the credentials",
        source: "assumed",
      },
      {
        code: "other negative codes (Argentina)",
        class: "rejected",
        reason: "the service refused the message",
        source: "assumed",
      },
      {
        code: "a page of HTML (Argentina)",
        class: "provider-error",
        reason: "the service answered with a page instead of a code",
        source: "assumed",
      },
      ...STATUS_ERRORS,
    ],
  },
  supports: { mms: false, deliveryReports: true, signature: false, idempotency: false },
  parseWebhook(request, channel) {
    const masivo = smsMasivoOf(channel);
    return masivo === null ? unreadable(INCOMPLETE) : readWebhook(request, masivo.webhooks);
  },
  buildSend(message, channel) {
    const masivo = required(channel);
    return isMexico(masivo) ? buildSendMx(message, masivo) : buildSendAr(message, masivo);
  },
  readSend(answer, channel) {
    const masivo = smsMasivoOf(channel);
    if (masivo === null) return failed(answer, { class: "bad-response", reason: INCOMPLETE });
    return isMexico(masivo) ? readSendMx(answer) : readSendAr(answer);
  },
  polls: [answers],
  buildVerify(channel) {
    const masivo = required(channel);
    return isMexico(masivo) ? buildVerifyMx(masivo) : buildVerifyAr(masivo);
  },
  readVerify(answer, channel) {
    const masivo = smsMasivoOf(channel);
    if (masivo === null) return { ok: false, reason: INCOMPLETE };
    return isMexico(masivo) ? readVerifyMx(answer) : readVerifyAr(answer);
  },
};
