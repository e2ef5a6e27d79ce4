import { equal } from "node:assert/strict";
import { LogIngress } from "../../adapters/nats/log_ingress.ts";
import { systemClock } from "../../adapters/system/clock.ts";
import type { DispatchEntry } from "../../core/dispatch/entry.ts";
import { testNats } from "../support/nats.ts";

Deno.test("entries in scripts of three bytes a letter fit the broker's messages, however many come at once", async () => {
  await using nats = await testNats();
  const ingress = new LogIngress({
    connection: nats.connection,
    names: nats.names,
    partitions: 1,
    processId: "test",
    configuration: () => 1,
    clock: systemClock,
  });
  // As many as the broker takes in one message if each letter were a byte.
  const units = Math.floor(nats.connection.info!.max_payload / 400);
  const entries = Array.from({ length: 400 }, (_, n) => ({ n, text: "漢".repeat(units) }));
  const told = await Promise.allSettled(
    entries.map((entry) => ingress.tell([entry as unknown as DispatchEntry])),
  );
  equal(told.filter(({ status }) => status === "rejected").length, 0);
  ingress.stop();
});
