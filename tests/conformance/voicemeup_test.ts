import { VOICEMEUP_DEFAULTS } from "../../bench/simulator/voicemeup.ts";
import { conforms } from "./harness.ts";

conforms({
  kind: "voicemeup",
  credentials: (_url, good) => ({
    username: VOICEMEUP_DEFAULTS.username,
    authToken: good ? VOICEMEUP_DEFAULTS.authToken : "wrong",
  }),
  reports: "set",
  media: { inbound: 0, outbound: 1 },
  // Nobody has written down its codes for these.
  refusals: { optedOut: "rejected", invalid: "rejected" },
});
