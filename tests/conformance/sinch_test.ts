import { SINCH_ACCOUNT } from "../../bench/simulator/sinch.ts";
import { conforms } from "./harness.ts";

conforms({
  kind: "sinch",
  credentials: (_url, good) => ({ ...SINCH_ACCOUNT, ...(!good && { apiToken: "wrong" }) }),
  media: { inbound: 2, outbound: 1 },
  // Sinch has one code for all fields that are not well written, and tells of opt-outs in reports.
  refusals: { optedOut: null, invalid: "bad-request" },
});
