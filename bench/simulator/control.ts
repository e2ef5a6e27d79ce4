/**
 * The control endpoints: what is wrong, what was called, start afresh.
 *
 * @module
 */
import { z } from "zod";
import { byProvider, type FaultSettings, FaultSettingsSchema } from "./faults.ts";
import type { ServerReply, ServerRequest } from "./http_server.ts";
import { parseForm } from "./form.ts";
import { type CallLog, jsonLines } from "./record.ts";
import { JSON_TYPE } from "./request_text.ts";

/** What the endpoints work on. */
export interface Controls {
  readonly log: CallLog;
  faults(): unknown;
  /** Throws a `ZodError`. */
  setFaults(settings: FaultSettings): void;
  setReports(settings: ReportChange): void;
  statistics(): unknown;
  reset(): void;
  /** A contact's message comes in at the gateway, to be fetched; gives its id there. */
  receive(message: InboxMessage): number;
}

const ReportChangeSchema = z.strictObject({
  enabled: z.boolean().optional(),
  sentAfterMs: z.number().min(0).optional(),
  deliveredAfterMs: z.number().min(0).optional(),
  tries: z.number().int().min(1).max(100).optional(),
  retryMs: z.number().min(0).optional(),
  /** Where status calls go, for the providers that are not told with each send. */
  urls: z.strictObject(byProvider(() => z.string().regex(/^https?:\/\//).nullable().optional())).optional(),
});

const InboxMessageSchema = z.strictObject({
  from: z.string().min(1),
  to: z.string().min(1),
  text: z.string(),
});

export type InboxMessage = z.output<typeof InboxMessageSchema>;

/** A change of the reports while the simulator runs. */
export type ReportChange = z.output<typeof ReportChangeSchema>;

/** Answers a request below `/control/`. */
export function handleControl(request: ServerRequest, controls: Controls): ServerReply {
  try {
    return route(request, controls);
  } catch (error) {
    if (error instanceof SyntaxError) return json(400, { error: "the body is not JSON" });
    if (!(error instanceof z.ZodError)) throw error;
    const errors = error.issues.map((issue) => ({ field: issue.path.join("."), message: issue.message }));
    return json(400, { error: "the body does not fit", errors });
  }
}

function route(request: ServerRequest, controls: Controls): ServerReply {
  switch (`${request.method} ${request.path}`) {
    case "GET /control/faults":
      return json(200, controls.faults());
    case "POST /control/faults":
      controls.setFaults(FaultSettingsSchema.parse(JSON.parse(request.body)) as FaultSettings);
      return json(200, controls.faults());
    case "POST /control/reports":
      controls.setReports(ReportChangeSchema.parse(JSON.parse(request.body)));
      return json(200, {});
    case "GET /control/record": {
      const fields = parseForm(request.query);
      const since = Number(fields.get("since")?.[0] ?? 0) || 0;
      const limit = Number(fields.get("limit")?.[0] ?? Infinity) || Infinity;
      const chunks = jsonLines(controls.log.after(since), limit);
      return { kind: "stream", contentType: "application/x-ndjson", chunks };
    }
    case "POST /control/inbox":
      return json(200, { id: controls.receive(InboxMessageSchema.parse(JSON.parse(request.body))) });
    case "GET /control/statistics":
      return json(200, controls.statistics());
    case "POST /control/reset":
      controls.reset();
      return json(200, {});
    default:
      return json(404, { error: "there is no such control" });
  }
}

function json(status: number, value: unknown): ServerReply {
  return { kind: "answer", status, contentType: JSON_TYPE, body: JSON.stringify(value) };
}
