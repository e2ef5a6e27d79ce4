import { TWILIO_DEFAULT_ACCOUNT } from "../../bench/simulator/twilio_account.ts";
import { conforms } from "./harness.ts";

conforms({
  kind: "twilio",
  credentials: (_url, good) => ({
    accountSid: TWILIO_DEFAULT_ACCOUNT.sid,
    authToken: good ? TWILIO_DEFAULT_ACCOUNT.authToken : "f".repeat(32),
  }),
  webhooks: [{ method: "POST" }, { method: "GET" }],
  media: { inbound: 3, outbound: 10 },
});
