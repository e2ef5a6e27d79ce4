/**
 * What the HTTP side needs of the rest. `main.ts` brings it; tests bring their own.
 *
 * @module
 */
import type { ConfigurationStore } from "../../core/ports/configuration.ts";
import type { FreshDirectory } from "../../core/ports/directory.ts";
import type { PlatformBroker } from "../../core/ports/platform_broker.ts";
import type { Provider } from "../../core/ports/provider.ts";
import type { App } from "./context.ts";

/** Whether the process can do its work, and what of it cannot. */
export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly detail: string }>>;
}

/** What came of trying a channel's credentials at its provider. */
export interface Verification {
  readonly ok: boolean;
  /** One plain sentence. */
  readonly reason: string;
  /** What went wrong, if it did: wrong credentials, or nobody to ask. */
  readonly fault?: "auth" | "unreachable";
}

export interface AppDeps {
  /** Shown on the status page and in the OpenAPI document. */
  readonly version: string;
  /** What subjects at the broker begin with. */
  readonly namespace: string;
  /** What providers reach, without a slash at the end: base of webhook URLs. */
  readonly publicUrl: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly directory: FreshDirectory;
  readonly configuration: ConfigurationStore;
  /** By kind. */
  readonly providers: ReadonlyMap<string, Provider>;
  readonly platformBroker: PlatformBroker;
  /** Makes the provider's verifying call with the channel's settings as the directory has them. Never rejects. */
  readonly verifyChannel: (channelId: string) => Promise<Verification>;
  /** Asks the provider whether a number is the account's; null where it cannot be asked. Never rejects. */
  readonly verifyNumber: (numberId: string) => Promise<Verification | null>;
  /** Tells the other processes that the configuration changed. Must not throw. */
  readonly announceChange: () => void;
  readonly readiness: () => Readiness | Promise<Readiness>;
  /** A prom-client registry has this form. */
  readonly metrics: { readonly contentType: string; metrics(): Promise<string> };
  /** Told of every error that became a 500. */
  readonly onError: (error: unknown, context: { readonly method: string; readonly path: string }) => void;
  /** Takes `/webhooks/…` before any middleware of the API. */
  readonly webhooks?: (
    request: Request,
    remoteAddress?: () => string,
  ) => Response | Promise<Response>;
  /** Serves `/media/…`, which asks for no key. */
  readonly media?: (request: Request) => Promise<Response>;
  /** Further routes, registered after the built-in ones. */
  readonly modules?: readonly RouteModule[];
}

/** A file of routes: adds them to the app. */
export type RouteModule = (app: App, deps: AppDeps) => void;
