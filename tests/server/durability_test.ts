import { equal, match } from "node:assert/strict";
import { durabilityOf } from "../../adapters/server/durability.ts";

Deno.test("what could be lost is said: our own server, one copy elsewhere, several copies", () => {
  const own = durabilityOf({ embedded: true, replicas: 1 });
  equal(own.isAtRisk, false);
  match(own.text, /on disk before it is acknowledged/);
  const single = durabilityOf({ embedded: false, replicas: 1 });
  equal(single.isAtRisk, true);
  match(
    single.text,
    /not known.*sync_interval: always.*2 minutes of accepted messages are lost with a power cut/,
  );
  for (const [replicas, survives] of [[3, 1], [5, 2]] as const) {
    const { isAtRisk, text } = durabilityOf({ embedded: false, replicas });
    equal(isAtRisk, false);
    match(text, new RegExp(`^${replicas} copies: .* loss of ${survives} of ${replicas} servers`));
    match(text, new RegExp(`when ${survives + 1} or more lose power`));
  }
});
