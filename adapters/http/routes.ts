/**
 * Every file of routes, in one list.
 *
 * @module
 */
import type { App } from "./context.ts";
import type { AppDeps, RouteModule } from "./deps.ts";
import { applyRoutes } from "./routes/apply.ts";
import { auditRoutes } from "./routes/audit.ts";
import { calendarRoutes } from "./routes/calendars.ts";
import { cannedRoutes } from "./routes/canned.ts";
import { channelActionRoutes } from "./routes/channel_actions.ts";
import { channelRoutes } from "./routes/channels.ts";
import { distributionRoutes } from "./routes/distribution.ts";
import { extensionRoutes } from "./routes/extensions.ts";
import { inCallRoutes } from "./routes/in_call.ts";
import { inCallPresetRoutes } from "./routes/in_call_presets.ts";
import { keyRoutes } from "./routes/keys.ts";
import { numberRoutes } from "./routes/numbers.ts";
import { opsRoutes } from "./routes/ops.ts";
import { platformRoutes } from "./routes/platforms.ts";
import { providerRoutes } from "./routes/providers.ts";
import { queueMemberRoutes } from "./routes/queue_members.ts";
import { queueRoutes } from "./routes/queues.ts";
import { ruleRoutes } from "./routes/rules.ts";

const MODULES: readonly RouteModule[] = [
  opsRoutes,
  providerRoutes,
  channelRoutes,
  channelActionRoutes,
  numberRoutes,
  extensionRoutes,
  queueRoutes,
  distributionRoutes,
  queueMemberRoutes,
  platformRoutes,
  calendarRoutes,
  ruleRoutes,
  cannedRoutes,
  inCallRoutes,
  inCallPresetRoutes,
  keyRoutes,
  auditRoutes,
  applyRoutes,
];

export function registerRoutes(app: App, deps: AppDeps): void {
  for (const register of [...MODULES, ...(deps.modules ?? [])]) register(app, deps);
}
