/**
 * For those who run it: health, readiness, metrics and a small status page.
 *
 * @module
 */
import type { App } from "../context.ts";
import type { AppDeps } from "../deps.ts";
import { statusPage } from "../status_page.ts";

export function opsRoutes(app: App, deps: AppDeps): void {
  app.get("/healthz", (c) => c.json({ status: "ok", version: deps.version }));
  app.get("/readyz", async (c) => {
    const readiness = await deps.readiness();
    return c.json(readiness, readiness.ready ? 200 : 503);
  });
  app.get("/metrics", async (c) => {
    c.header("content-type", deps.metrics.contentType);
    return c.body(await deps.metrics.metrics());
  });
  app.get("/", async (c) => {
    c.header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'");
    c.header("cache-control", "no-store");
    return c.html(statusPage(deps.version, await deps.readiness()));
  });
}
