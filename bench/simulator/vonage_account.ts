/**
 * The account at Vonage that the simulator knows, for both of its APIs.
 *
 * @module
 */

export interface VonageAccount {
  readonly apiKey: string;
  readonly apiSecret: string;
  /** Signs webhooks of both APIs. "": the SMS API's are not signed. */
  readonly signatureSecret: string;
  /** How the SMS API signs. */
  readonly signatureMethod: "md5hash" | "md5" | "sha1" | "sha256" | "sha512";
  /** The Messages API's. */
  readonly applicationId: string;
  /** Checks the tokens that callers sign with the application's private key, PEM; null: any token of the application. */
  readonly publicKey: string | null;
}

/** The account that exists when none is named. */
export const VONAGE_DEFAULT_ACCOUNT: VonageAccount = {
  apiKey: "abcd1234",
  apiSecret: "SimulatorSecret1",
  signatureSecret: "simulator-signature-secret-32-bytes",
  signatureMethod: "md5hash",
  applicationId: "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab",
  publicKey: null,
};

/** Whether a caller brought key and secret, by HTTP Basic or as fields. */
export function isVonageCaller(
  account: VonageAccount,
  authorization: string | undefined,
  fields: ReadonlyMap<string, readonly string[]>,
): boolean {
  if (authorization !== undefined) {
    return authorization === `Basic ${btoa(`${account.apiKey}:${account.apiSecret}`)}`;
  }
  return fields.get("api_key")?.[0] === account.apiKey && fields.get("api_secret")?.[0] === account.apiSecret;
}

/** `GET /account/get-balance` of either API. */
export function balanceAnswer(isCaller: boolean) {
  return {
    kind: "answer" as const,
    status: isCaller ? 200 : 401,
    contentType: "application/json",
    body: isCaller
      ? '{"value":10.28,"autoReload":false}'
      : '{"error-code":"401","error-code-label":"authentication failed"}',
  };
}
