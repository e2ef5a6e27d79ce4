import { DINSTAR_DEFAULTS } from "../../bench/simulator/dinstar.ts";
import { conforms } from "./harness.ts";

const credentials = (url: string, good: boolean) => ({
  endpoint: url,
  user: DINSTAR_DEFAULTS.user,
  password: good ? DINSTAR_DEFAULTS.password : "wrong",
  ports: "0",
  portNumbers: { "0": "+14155550199" },
  inbound: "push",
});
// The gateway has one code for all that it cannot read, and knows of no opt-outs.
const refusals = { optedOut: null, invalid: "bad-request" as const };

conforms({ kind: "dinstarweb", credentials, reports: "set", refusals });
conforms({
  kind: "dinstarweb",
  label: "national numbers, a nonce for each call",
  credentials: (url, good) => ({
    ...credentials(url, good),
    authentication: "digest",
    defaultCountry: "US",
    phoneFormat: "digits",
    serial: "da00-0022-5000-0001",
  }),
  simulator: { dinstar: { nonceUses: 1 } },
  reports: "set",
  text: "Take #param# literally, please",
  refusals,
});
