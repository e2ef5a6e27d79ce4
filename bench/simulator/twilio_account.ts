/**
 * The account at Twilio that the simulator knows.
 *
 * @module
 */

export interface TwilioAccount {
  /** `AC` and 32 hex digits. */
  readonly sid: string;
  /** Checked on calls, and what webhooks are signed with. */
  readonly authToken: string;
}

/** The account that exists when none is named. */
export const TWILIO_DEFAULT_ACCOUNT: TwilioAccount = {
  sid: "AC00000000000000000000000000000001",
  authToken: "0123456789abcdef0123456789abcdef",
};
