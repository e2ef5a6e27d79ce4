/**
 * What holds for one call: the installation's settings with those of the call's queue laid over them.
 *
 * @module
 */
import { inLanguage, TEXT_UNITS_MAX } from "../automated_text.ts";
import type { Directory } from "../directory.ts";
import { isUnitedStates } from "../phone_number.ts";
import type { InCallPreset, InCallSettings } from "./settings.ts";

export type CallTerms = InCallSettings;

/** Why a text may not be sent: for programs and for people. */
export interface Objection {
  readonly code: string;
  readonly detail: string;
}

/** `queueId`: the queue that the call came through, if any. What is off as a whole no queue can switch on. */
export function termsOf({ inCall, queues }: Directory, queueId: string | null): CallTerms {
  const own = queueId === null ? undefined : queues.get(queueId)?.inCall;
  if (own === undefined) return inCall;
  return { ...inCall, ...own, enabled: inCall.enabled && own.enabled !== false };
}

/** Why a call with `contact` is not to be texted in; null where it may be. */
export function objectionTo(terms: CallTerms, contact: string): Objection | null {
  if (!terms.enabled) return { code: "in-call-off", detail: "texting during calls is switched off" };
  if (!terms.outsideUs && !isUnitedStates(contact)) {
    return {
      code: "outside-us",
      detail: `${contact} is not a number of the United States, and texting to others is switched off`,
    };
  }
  return null;
}

/** Why an agent may not write `text` in the agent's own words; null where that is allowed. */
export function objectionToFreeText(terms: CallTerms, text: string): Objection | null {
  if (!terms.freeText) {
    return { code: "presets-only", detail: "only presets may be sent during calls of this queue" };
  }
  if (text.length <= TEXT_UNITS_MAX) return null;
  return { code: "too-long", detail: `the text ${tooLong(text)}` };
}

/** How much longer than allowed a text is, to follow the name of its field. */
export function tooLong(text: string): string {
  return `has ${text.length} UTF-16 units; a text during a call may have ${TEXT_UNITS_MAX}`;
}

/** The presets that calls of this queue may use, by label. */
export function presetsFor({ inCallPresets }: Directory, queueId: string | null): readonly InCallPreset[] {
  return inCallPresets.filter(({ queueIds }) =>
    queueIds.length === 0 || (queueId !== null && queueIds.includes(queueId))
  );
}

/** The preset's text in `language`, else English, else the first by the alphabet; null where calls of this queue have none of that label. */
export function presetText(
  directory: Directory,
  queueId: string | null,
  label: string,
  language: string,
): string | null {
  const preset = presetsFor(directory, queueId).find((one) => one.label === label);
  return preset === undefined ? null : inLanguage(preset.texts, language);
}
