/**
 * What a request carries through the API's middleware.
 *
 * @module
 */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { ApiKey } from "../../core/directory.ts";

export interface ApiEnv {
  Bindings: {
    /** The address of whoever connected to us; absent where the server does not say. */
    remoteAddress?: () => string;
  };
  Variables: {
    /** The key that the request came with; set on every `/v1` route before the handler. */
    key: ApiKey;
  };
}

export type App = OpenAPIHono<ApiEnv>;
