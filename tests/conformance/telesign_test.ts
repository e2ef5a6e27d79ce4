import { TELESIGN_DEFAULT_ACCOUNT } from "../../bench/simulator/telesign.ts";
import { conforms } from "./harness.ts";

const credentials = (authentication: "basic" | "digest") => (_url: string, good: boolean) => ({
  customerId: TELESIGN_DEFAULT_ACCOUNT.customerId,
  apiKey: good ? TELESIGN_DEFAULT_ACCOUNT.apiKey : "d3Jvbmcta2V5",
  authentication,
});

conforms({ kind: "telesign", credentials: credentials("basic"), media: { inbound: 3, outbound: 1 } });

conforms({
  kind: "telesign",
  label: "with signed requests",
  credentials: credentials("digest"),
  media: { inbound: 0, outbound: 1 },
});
