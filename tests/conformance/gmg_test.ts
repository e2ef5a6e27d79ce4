import { GATEWAY_LOGIN } from "../../bench/simulator/urlsms.ts";
import { conforms } from "./harness.ts";

for (const login of ["fields", "basic", "bearer"]) {
  conforms({
    kind: "gmg",
    label: login,
    credentials: (url, good) => ({
      endpoint: `${url}/gmg/send`,
      user: GATEWAY_LOGIN.user,
      password: good ? GATEWAY_LOGIN.password : "wrong",
      login,
      ...(login !== "fields" && { checkUrl: `${url}/gmg/balance` }),
      // With the login in the message's fields there is nothing to prove it by without a message.
      ...(login === "fields" &&
        {
          checkUrl: good
            ? `${url}/quality/saldo.php?user=\${user}&password=\${password}`
            : `${url}/gmg/balance`,
        }),
    }),
    webhooks: [{ method: "GET" }, { method: "POST" }, { method: "POST", format: "json" }],
    reports: "set",
  });
}
