/**
 * The accounts of a nats-server as its configuration writes them: this program's own, and one for each guest.
 *
 * @module
 */
import type { BrokerGuest, GuestService } from "../../core/ports/broker_guests.ts";

/** The account that holds the streams. */
export const OWN_ACCOUNT = "PATCHBAY";
/** Shows the token as its password. */
export const OWN_USER = "patchbay";
/** May have the configuration read again; shows the token as its password. */
export const SYSTEM_USER = "patchbay-system";

const text = (value: string) => JSON.stringify(value);

/** The configuration's block `accounts`. */
export function accountsBlock(token: string, guests: readonly BrokerGuest[]): string {
  return `accounts {
  $SYS { users: [{ user: ${text(SYSTEM_USER)}, password: ${text(token)} }] }
  ${OWN_ACCOUNT} {
    jetstream: enabled
    users: [{ user: ${text(OWN_USER)}, password: ${text(token)} }]
    exports: [
${indented(guests.flatMap(exportsFor), 6)}
    ]
  }
${indented(guests.map((guest) => guestAccount(guest, OWN_ACCOUNT)), 2)}
}
`;
}

/** What the account that holds the streams has to export to a guest. */
export function exportsFor({ account, streams, services }: BrokerGuest): string[] {
  return [
    ...streams.map((subject) => `{ stream: ${text(subject)}, accounts: [${text(account)}] }`),
    ...services.map(({ to, isStreamed }) =>
      `{ service: ${text(to)}, accounts: [${text(account)}]${isStreamed ? ", response_type: stream" : ""} }`
    ),
  ];
}

/** A guest's account, which imports from `owner`; without a public key it has no user. */
export function guestAccount({ account, publicKey, streams, services }: BrokerGuest, owner: string): string {
  const publish = services.map(({ subject }) => text(subject)).join(", ");
  const subscribe = [...streams, "_INBOX.>"].map(text).join(", ");
  const user = `{ nkey: ${publicKey}, permissions: { publish: [${publish}], subscribe: [${subscribe}] } }`;
  return `${text(account)} {
  users: [${publicKey === "" ? "" : user}]
  imports: [
${
    indented([
      ...streams.map((subject) => `{ stream: { account: ${text(owner)}, subject: ${text(subject)} } }`),
      ...services.map((service) => serviceImport(service, owner)),
    ], 4)
  }
  ]
}`;
}

function serviceImport({ subject, to }: GuestService, owner: string): string {
  const renamed = subject === to ? "" : `, to: ${text(subject)}`;
  return `{ service: { account: ${text(owner)}, subject: ${text(to)} }${renamed} }`;
}

function indented(parts: readonly string[], blanks: number): string {
  return parts.join("\n").replaceAll(/^(?=.)/gm, " ".repeat(blanks));
}
