/**
 * Every file of routes, in one list.
 *
 * @module
 */
import type { App } from "./context.ts";
import type { AppDeps, RouteModule } from "./deps.ts";
import { opsRoutes } from "./routes/ops.ts";

const MODULES: readonly RouteModule[] = [
  opsRoutes,
];

export function registerRoutes(app: App, deps: AppDeps): void {
  for (const register of [...MODULES, ...(deps.modules ?? [])]) register(app, deps);
}
