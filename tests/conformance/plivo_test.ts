import { PLIVO_ACCOUNT } from "../../bench/simulator/plivo.ts";
import { conforms } from "./harness.ts";

conforms({
  kind: "plivo",
  credentials: (_url, good) => ({
    authId: PLIVO_ACCOUNT.authId,
    authToken: good ? PLIVO_ACCOUNT.authToken : "wrong",
  }),
  webhooks: [{ method: "POST" }, { method: "GET" }, { method: "POST", format: "v2" }, {
    method: "GET",
    format: "v2",
  }],
  // Plivo explains what is wrong in words only, and tells of opt-outs in reports.
  refusals: { optedOut: null, invalid: "bad-request" },
});
