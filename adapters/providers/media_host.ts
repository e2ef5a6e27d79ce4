/**
 * Whose credentials a media host may be shown.
 *
 * @module
 */
import type { Channel } from "../../core/channel.ts";

/** Whether `url` is https on `domain` or below it, or on the channel's own `baseUrl`, whichever host that is. */
export function isOwnHost(url: URL, channel: Channel, domain: string): boolean {
  const { baseUrl } = channel.settings;
  if (baseUrl !== undefined && URL.canParse(baseUrl) && url.origin === new URL(baseUrl).origin) return true;
  return url.protocol === "https:" && url.port === "" &&
    (url.hostname === domain || url.hostname.endsWith(`.${domain}`));
}
