/**
 * What a contact wishes about messages as such: STOP, START, HELP.
 *
 * @module
 */
import { answerTo, DEFAULT_OPT_OUT } from "../core/opt_out/settings.ts";
import { understand } from "../core/opt_out/words.ts";
import type { Draft } from "./draft.ts";
import type { InboundContent } from "./fragments.ts";

/**
 * What to do once the message is filed, if all of it is such a wish; null if it is an ordinary message. A STOP that
 * changes nothing is not confirmed again, so that two machines cannot keep answering each other.
 */
export function wishIn(draft: Draft, content: InboundContent): (() => void) | null {
  const settings = draft.number.optOut ?? DEFAULT_OPT_OUT;
  if (!settings.enabled || (content.media?.length ?? 0) > 0) return null;
  const understood = understand(content.text, settings, draft.isOptedOut);
  if (understood === null) return null;
  const { wish, language } = understood;
  return () => {
    const changes = wish === "help" || draft.isOptedOut !== (wish === "stop");
    if (wish !== "help") draft.setOptOut(wish === "stop", "keyword", "contact");
    const answers = draft.channel.settings.optOutAnsweredBy === "patchbay" && changes;
    // HELP of somebody who wants nothing more is answered all the same: it was asked for.
    if (answers) draft.addConfirmation(answerTo(wish, language, settings, senderOf(draft)));
  };
}

function senderOf({ number }: Draft): string {
  return number.label ?? number.number;
}
