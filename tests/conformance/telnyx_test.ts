import { TELNYX_ACCOUNT } from "../../bench/simulator/telnyx.ts";
import { conforms } from "./harness.ts";

conforms({
  kind: "telnyx",
  credentials: (_url, good) => ({
    apiKey: good ? TELNYX_ACCOUNT.apiKey : "KEY0wrong",
    publicKey: TELNYX_ACCOUNT.publicKey,
  }),
});
