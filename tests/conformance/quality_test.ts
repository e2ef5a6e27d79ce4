import { GATEWAY_LOGIN } from "../../bench/simulator/urlsms.ts";
import { conforms } from "./harness.ts";

for (const transport of ["form", "get", "json"]) {
  conforms({
    kind: "quality",
    label: transport,
    credentials: (url, good) => ({
      endpoint: `${url}/quality/send.php`,
      user: GATEWAY_LOGIN.user,
      password: good ? GATEWAY_LOGIN.password : "wrong",
      transport,
      // The gateway takes its login where the messages have it.
      checkUrl: `${url}/quality/saldo.php?user=\${user}&password=\${password}`,
    }),
    webhooks: [{ method: "GET" }, { method: "POST" }, { method: "POST", format: "json" }],
    reports: "set",
  });
}
