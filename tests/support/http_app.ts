/**
 * The HTTP application over a real database, with everything else faked.
 *
 * @module
 */
import { createApp } from "../../adapters/http/app.ts";
import type { App } from "../../adapters/http/context.ts";
import type { AppDeps, Verification } from "../../adapters/http/deps.ts";
import { createConfigurationStore } from "../../adapters/postgres/configuration_store.ts";
import { DirectoryStore } from "../../adapters/postgres/directory_store.ts";
import { systemClock } from "../../adapters/system/clock.ts";
import { fillRandom, newSecret } from "../../adapters/system/random.ts";
import { createSecretBox } from "../../adapters/system/secret_box.ts";
import { ensureAdministratorKey } from "../../core/configuration/keys.ts";
import type { ConfigurationStore } from "../../core/ports/configuration.ts";
import type { PlatformBroker } from "../../core/ports/platform_broker.ts";
import { fakeProvider } from "./fake_provider.ts";
import type { TestDatabase } from "./postgres.ts";

export const ADMIN_KEY = "pbk_test-administrator-key-0123456789012345";
export const MASTER_KEY = btoa("0123456789abcdef0123456789abcdef");

/** A broker that is not our own. */
export const FOREIGN_BROKER: PlatformBroker = {
  newUser: null,
  access: () => {
    throw new Error("not at a foreign broker");
  },
  grant: (platformId) => `grant for ${platformId}`,
  settled: () => Promise.resolve(),
};

/** An answer with its body read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // deno-lint-ignore no-explicit-any
  readonly body: any;
}

export interface TestApp extends Disposable {
  readonly app: App;
  readonly configuration: ConfigurationStore;
  readonly directory: DirectoryStore;
  /** How often other processes were told of a change. */
  announced: number;
  /** What `verifyChannel` answers. */
  verification: Verification;
  /** What `verifyNumber` answers. */
  numberVerification: Verification | null;
  /** Milliseconds that the app's clock is ahead. */
  aheadMs: number;
  readonly errors: unknown[];
  /** With the administrator's key unless told. */
  call(method: string, path: string, body?: unknown, options?: {
    readonly key?: string | null;
    readonly headers?: Record<string, string>;
  }): Promise<Answer>;
  /** POSTs and expects 201. */
  // deno-lint-ignore no-explicit-any
  make(path: string, body: unknown): Promise<any>;
}

export async function testApp(database: TestDatabase, overrides: Partial<AppDeps> = {}): Promise<TestApp> {
  const box = createSecretBox([MASTER_KEY]);
  const { db } = database;
  const now = () => Date.now() + fixture.aheadMs;
  const configuration = createConfigurationStore({ db, box, now, random: fillRandom, newSecret });
  const errors: unknown[] = [];
  const directory = new DirectoryStore({
    db,
    box,
    clock: systemClock,
    onError: (error) => errors.push(error),
  });
  const app = createApp({
    version: "1.2.3",
    namespace: "patchbay",
    publicUrl: "https://texts.example",
    now,
    directory,
    configuration,
    providers: new Map([[fakeProvider.kind, fakeProvider]]),
    platformBroker: FOREIGN_BROKER,
    verifyChannel: () => Promise.resolve(fixture.verification),
    verifyNumber: () => Promise.resolve(fixture.numberVerification),
    announceChange: () => fixture.announced++,
    readiness: () => ({ ready: true, checks: { database: { ok: true, detail: "connected" } } }),
    metrics: { contentType: "text/plain", metrics: () => Promise.resolve("up 1\n") },
    onError: (error) => errors.push(error),
    ...overrides,
  });
  const call: TestApp["call"] = async (method, path, body, { key = ADMIN_KEY, headers = {} } = {}) => {
    const response = await app.request(path, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = response.headers.get("content-type")?.includes("json") ?? false;
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: json ? JSON.parse(text) : undefined,
    };
  };
  const fixture: TestApp = {
    app,
    configuration,
    directory,
    announced: 0,
    verification: { ok: true, reason: "the provider took them" },
    numberVerification: null,
    aheadMs: 0,
    errors,
    call,
    async make(path, body) {
      const answer = await call("POST", path, body);
      if (answer.status !== 201) throw new Error(`POST ${path}: ${answer.status} ${answer.text}`);
      return answer.body;
    },
    [Symbol.dispose]: () => directory[Symbol.dispose](),
  };
  await configuration.change({ actor: "system" }, (tx) => ensureAdministratorKey(tx, ADMIN_KEY));
  await directory.refresh();
  return fixture;
}

/** A channel that the fake provider takes. */
export function channelInput(name: string, more: Record<string, unknown> = {}) {
  return {
    name,
    provider: "fake",
    credentials: { accountSid: "AC1", authToken: "very-secret-token" },
    ...more,
  };
}
