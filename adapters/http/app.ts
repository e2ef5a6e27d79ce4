/**
 * Builds the HTTP application from its parts; `createApp(deps).request(…)` needs no socket.
 *
 * @module
 */
import { OpenAPIHono } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import { asyncApiDocument } from "../../core/asyncapi/document.ts";
import { fieldErrors } from "../../core/fields.ts";
import { ConfigurationFault } from "../../core/ports/configuration.ts";
import { UnavailableError } from "../../core/ports/ingress.ts";
import { authenticate } from "./auth.ts";
import { bodyLimit, FILE_BODY_BYTES_MAX, JSON_BODY_BYTES_MAX } from "./body_limit.ts";
import type { ApiEnv, App } from "./context.ts";
import type { AppDeps } from "./deps.ts";
import { UPLOAD_PATH } from "./media/upload.ts";
import { invalidFields, Problem, type ProblemStatus } from "./problem.ts";
import { registerRoutes } from "./routes.ts";
import { onlyStorable } from "./storable.ts";

/** They take a whole configuration or a list. */
const FILE_PATHS: ReadonlySet<string> = new Set(["/v1/apply", "/v1/do-not-contact"]);

/** The application: webhooks, operations, OpenAPI and `/v1`. */
export function createApp(deps: AppDeps): App {
  const app: App = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (!result.success) throw invalidFields(fieldErrors(result.error));
    },
  });
  // First, and by itself: the hot path pays for nothing that the API needs.
  const { webhooks } = deps;
  if (webhooks) app.all("/webhooks/*", (c) => webhooks(c.req.raw, c.env?.remoteAddress));

  const { media } = deps;
  if (media) app.all("/media/*", (c) => media(c.req.raw));

  app.onError((error, c) => toProblem(error, deps, c.req.method, c.req.path).toResponse());
  app.notFound((c) => notFound(app, c.req.method, c.req.path).toResponse());
  app.use("/v1/*", authenticate(deps.directory, deps.now));
  app.use(
    "/v1/*",
    bodyLimit((path) => {
      if (path === UPLOAD_PATH) return null;
      return FILE_PATHS.has(path) ? FILE_BODY_BYTES_MAX : JSON_BODY_BYTES_MAX;
    }),
  );
  app.use("/v1/*", onlyStorable((path) => path !== UPLOAD_PATH));
  registerRoutes(app, deps);
  describe(app, deps);
  const asyncApi = asyncApiDocument(deps);
  app.get("/asyncapi.json", (c) => c.json(asyncApi));
  return app;
}

function describe(app: App, deps: AppDeps): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "key", { type: "http", scheme: "bearer" });
  app.doc31("/openapi.json", {
    openapi: "3.1.0",
    info: {
      title: "Patchbay",
      version: deps.version,
      description: "Text messages between contacts and extensions, message queues and analysis platforms.",
    },
    servers: [{ url: deps.publicUrl }],
  });
}

function toProblem(error: unknown, deps: AppDeps, method: string, path: string): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof ConfigurationFault) return faultProblem(error);
  if (error instanceof UnavailableError) {
    return new Problem(503, error.message, { headers: { "retry-after": String(error.retryAfterSeconds) } });
  }
  if (error instanceof HTTPException) {
    const status = error.status as ProblemStatus;
    return new Problem(status, HTTP_DETAILS[status] ?? error.message);
  }
  deps.onError(error, { method, path });
  if (isConnectionFault(error)) {
    return new Problem(503, "The database cannot be reached now.", { headers: { "retry-after": "2" } });
  }
  return new Problem(500, "Something went wrong here; the log has the details.");
}

const HTTP_DETAILS: Readonly<Partial<Record<ProblemStatus, string>>> = {
  400: "The body is not valid JSON.",
  415: "Send the body as `Content-Type: application/json`.",
};

function faultProblem(fault: ConfigurationFault): Problem {
  switch (fault.kind) {
    case "invalid":
      return invalidFields(fault.errors);
    case "not-found":
      return new Problem(404, fault.message);
    case "conflict":
      return new Problem(409, fault.message, fault.errors.length > 0 ? { errors: fault.errors } : {});
    case "key-reused":
      return new Problem(422, fault.message, { code: "idempotency-key-reused" });
  }
}

/** Codes of lost or refused connections, and of a server that is starting or stopping. */
const CONNECTION_CODES =
  /^(CONNECT_TIMEOUT|CONNECTION_(CLOSED|ENDED|DESTROYED)|ECONN\w+|EPIPE|ENOENT|ENOTFOUND|57P0[1-3]|08\w{3}|53300|55P03|57014|25P03)$/;

function isConnectionFault(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isConnectionFault);
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && CONNECTION_CODES.test(code);
}

/** 405 where the path exists with other methods, else 404. */
function notFound(app: App, method: string, path: string): Problem {
  const methods = new Set<string>();
  for (const candidate of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
    if (candidate === method) continue;
    const [matched] = app.router.match(candidate, path);
    const exact = matched.some(([[, route]]) => route.method === candidate);
    if (exact) methods.add(candidate);
  }
  if (methods.size > 0) {
    const allowed = [...methods].join(", ");
    return new Problem(405, `${path} takes ${allowed}.`, { headers: { allow: allowed } });
  }
  return new Problem(404, `There is nothing at ${path}.`);
}
