/**
 * The providers there are.
 *
 * @module
 */
import type { Provider } from "../../core/ports/provider.ts";
import { bandwidth } from "./bandwidth.ts";
import { dinstarweb } from "./dinstar.ts";
import { plivo } from "./plivo.ts";
import { sinch } from "./sinch.ts";
import { SYSTEM } from "./surroundings.ts";
import { createTelesign } from "./telesign.ts";
import { telnyx } from "./telnyx.ts";
import { infobip } from "./infobip.ts";
import { nexmo } from "./nexmo.ts";
import { http, urlpostsms, urlpostsmsauth, urlsms, urlsmsauth, urlsmspost } from "./generic/kinds.ts";
import { presets } from "./generic/presets.ts";
import { smsmasivo } from "./smsmasivo.ts";
import { twilio } from "./twilio.ts";
import { createVonage } from "./vonage.ts";
import { voicemeup } from "./voicemeup.ts";

/** By kind, as it stands in channels and webhook URLs. */
export const PROVIDERS: ReadonlyMap<string, Provider> = new Map(
  [
    twilio,
    voicemeup,
    nexmo,
    createVonage(SYSTEM),
    createTelesign(SYSTEM),
    infobip,
    bandwidth,
    telnyx,
    plivo,
    sinch,
    dinstarweb,
    smsmasivo,
    urlsms,
    urlsmsauth,
    urlsmspost,
    urlpostsms,
    urlpostsmsauth,
    http,
    ...presets,
  ].map((provider) => [provider.kind, provider]),
);
