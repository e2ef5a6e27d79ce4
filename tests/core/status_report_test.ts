import assert from "node:assert/strict";
import fc from "fast-check";
import type { ReportEntry } from "../../core/entry.ts";
import { OUTBOUND_STATUSES, STATUS_RANK } from "../../core/message.ts";
import { applyReport } from "../../core/status/report.ts";
import { CHANNEL_ID, queuedMessage } from "../support/send_fixtures.ts";

const AT = 1_700_000_005_000;

function report(status: ReportEntry["status"], changes: Partial<ReportEntry> = {}): ReportEntry {
  return { kind: "report", at: AT, channelId: CHANNEL_ID, providerId: "p1", status, ...changes };
}

Deno.test("a report that is first also stands for the result: sent is counted and told once", () => {
  const message = queuedMessage(1, { status: "sending", attempts: 1, segments: 2 });
  const change = applyReport(message, report("delivered"))!;
  assert.deepEqual(change.steps.map(({ status }) => status), ["sent", "delivered"]);
  assert.deepEqual(change.events.map(({ type }) => type), ["message.sent", "message.delivered"]);
  assert.deepEqual(change.counts, { sent: 1, delivered: 1, failed: 0, segments_out: 2 });
  assert.deepEqual([change.message.status, change.message.provider_id], ["delivered", "p1"]);
  const later = applyReport({ ...message, status: "sent", provider_id: "p1" }, report("delivered"))!;
  assert.deepEqual(later.counts, { sent: 0, delivered: 1, failed: 0, segments_out: 0 });
});

Deno.test("a failure carries the provider's code and reason, or plain ones of its own", () => {
  const message = queuedMessage(1, { status: "sent", attempts: 1, provider_id: "p1" });
  const told = applyReport(
    message,
    report("undelivered", { error: { class: "invalid-number", providerCode: "30006", reason: "land line" } }),
  )!;
  assert.deepEqual(told.message.error, {
    class: "invalid-number",
    providerCode: "30006",
    reason: "land line",
  });
  assert.deepEqual(told.steps, [{
    status: "undelivered",
    at: new Date(AT).toISOString(),
    providerCode: "30006",
    reason: "land line",
  }]);
  assert.equal(told.events[0]!.type, "message.failed");
  assert.equal(applyReport(message, report("undelivered"))!.message.error!.class, "unreachable");
  const odd = applyReport(message, report("failed", { error: { class: "nonsense", reason: "?" } }))!;
  assert.equal(odd.message.error!.class, "unknown");
});

Deno.test("a report settles an uncertain message, whatever its status", () => {
  const held = queuedMessage(1, { status: "sending", attempts: 1, uncertain: true });
  assert.equal(applyReport(held, report("sent"))!.message.uncertain, false);
  const ended = { ...held, status: "failed" as const };
  const change = applyReport(ended, report("failed"))!;
  assert.deepEqual([change.message.status, change.message.uncertain, change.steps.length], [
    "failed",
    false,
    0,
  ]);
  const waiting = { ...held, status: "queued" as const };
  assert.equal(
    applyReport(waiting, report("delivered"))!.message.status,
    "delivered",
    "the repeat is not sent",
  );
});

Deno.test("a message that nobody tried to send is not moved by a report", () => {
  assert.equal(applyReport(queuedMessage(1), report("delivered")), null);
});

Deno.test("the provider's id is filled in, and a repeat says nothing new", () => {
  const message = queuedMessage(1, { status: "sent", attempts: 1 });
  const change = applyReport(message, report("sent"))!;
  assert.deepEqual([change.message.provider_id, change.events.length], ["p1", 0]);
  assert.equal(applyReport(change.message, report("sent")), null);
});

Deno.test("in whatever order reports come: the status only climbs, and everything is counted once", () => {
  const statuses = fc.array(
    fc.constantFrom<ReportEntry["status"]>(
      "sent",
      "delivered",
      "failed",
      "undelivered",
      "rejected",
      "expired",
    ),
    { maxLength: 8 },
  );
  fc.assert(fc.property(fc.constantFrom(...OUTBOUND_STATUSES), statuses, (from, reports) => {
    let message = queuedMessage(1, { status: from, attempts: 1 }) as Parameters<typeof applyReport>[0];
    let sent = 0;
    let delivered = 0;
    const ids = new Set<string>();
    for (const status of reports) {
      const change = applyReport(message, report(status));
      if (change === null) continue;
      assert(STATUS_RANK[change.message.status] >= STATUS_RANK[message.status]);
      sent += change.counts.sent;
      delivered += change.counts.delivered;
      for (const { id, type } of change.events) {
        assert(!ids.has(id) || type === "message.failed", `${type} was told twice`);
        ids.add(id);
      }
      message = change.message;
    }
    assert(sent <= 1 && delivered <= 1);
    if (STATUS_RANK[from] < 2 && reports.length > 0) assert.equal(sent, 1);
  }));
});
