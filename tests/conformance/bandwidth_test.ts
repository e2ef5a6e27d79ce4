import { BANDWIDTH_ACCOUNT } from "../../bench/simulator/bandwidth.ts";
import { conforms } from "./harness.ts";

conforms({
  kind: "bandwidth",
  credentials: (_url, good) => ({ ...BANDWIDTH_ACCOUNT, ...(!good && { apiSecret: "wrong" }) }),
  webhooks: [{}, { format: "group" }],
  reports: "set",
  // Bandwidth says so in a report, not in its answer.
  refusals: { optedOut: null },
});
