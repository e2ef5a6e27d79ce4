import { VOICEMEUP_DEFAULTS } from "../../bench/simulator/voicemeup.ts";
import { conforms } from "./harness.ts";

conforms({
  kind: "voicemeup",
  credentials: (_url, good) => ({
    username: VOICEMEUP_DEFAULTS.username,
    authToken: good ? VOICEMEUP_DEFAULTS.authToken : "wrong",
  }),
  reports: "set",
  media: { inbound: 1, outbound: 1 },
  mediaUrl: "https://clients.voicemeup.com/file/0f1e2d3c.mms.",
  // Nobody has written down its codes for these.
  refusals: { optedOut: "rejected", invalid: "rejected" },
});
