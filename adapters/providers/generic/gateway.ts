/**
 * A gateway's settings, ready to use: templates taken apart, patterns read, words in a map.
 *
 * @module
 */
import type { BlockList } from "node:net";
import type { ErrorClass } from "../../../core/errors.ts";
import { Pattern } from "../../../core/pattern.ts";
import type { ParsedReport } from "../../../core/ports/provider.ts";
import { parseTemplate, type Template, variablesOf } from "../template.ts";
import { rangesOf } from "./cidr.ts";
import { REPORT_WORDS } from "./inbound_settings.ts";
import { type GatewaySettings } from "./settings.ts";

type NamedTemplates = readonly (readonly [name: string, template: Template])[];

export interface ErrorRule {
  readonly status: readonly number[] | undefined;
  readonly pattern: Pattern | undefined;
  readonly path: string | undefined;
  readonly value: string | undefined;
  readonly class: ErrorClass;
  readonly reason: string | undefined;
}

export interface Gateway {
  readonly settings: GatewaySettings;
  readonly url: Template;
  readonly checkUrl: Template | undefined;
  readonly headers: NamedTemplates;
  readonly parameters: NamedTemplates;
  readonly body: Template | undefined;
  /** Whether any template says where the media go. */
  readonly namesMedia: boolean;
  readonly numberRules: readonly { readonly pattern: Pattern; readonly replacement: string }[];
  readonly successPattern: Pattern | undefined;
  readonly failurePattern: Pattern | undefined;
  readonly successValues: ReadonlySet<string>;
  readonly errorRules: readonly ErrorRule[];
  readonly codePattern: Pattern | undefined;
  readonly codes: ReadonlyMap<string, ErrorClass | "success">;
  readonly idPattern: Pattern | undefined;
  readonly checkPattern: Pattern | undefined;
  readonly statusWords: ReadonlyMap<string, ParsedReport["status"] | "queued">;
  /** Null: everybody may call. */
  readonly callers: BlockList | null;
}

/** The words of receivers all over Latin America and beyond, and those of SMPP; lower case. `queued` moves nothing. */
const KNOWN_WORDS: Readonly<Record<(typeof REPORT_WORDS)[number], readonly string[]>> = {
  queued: ["queued", "encolado", "accepted", "acceptd", "pending", "pendiente", "enroute", "buffered"],
  sent: ["sent", "enviado"],
  delivered: ["delivered", "entregado", "delivrd"],
  undelivered: ["undelivered", "no entregado", "undeliv"],
  expired: ["expired", "vencido"],
  failed: ["failed", "error", "fallido"],
  rejected: ["rejected", "rechazado", "rejectd"],
};

function named(templates: Readonly<Record<string, string>>): NamedTemplates {
  return Object.entries(templates).map(([name, template]) => [name, parseTemplate(template)]);
}

function patternOf(source: string | undefined, ignoreCase = false): Pattern | undefined {
  return source === undefined ? undefined : new Pattern(source, { ignoreCase });
}

/** Works `settings`, which the schema has passed, out once. */
export function compileGateway(settings: GatewaySettings): Gateway {
  const words = new Map<string, ParsedReport["status"] | "queued">();
  for (const status of REPORT_WORDS) for (const word of KNOWN_WORDS[status]) words.set(word, status);
  for (const [word, status] of Object.entries(settings.statusWords)) words.set(word.toLowerCase(), status);
  const url = parseTemplate(settings.url);
  const headers = named(settings.headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  const parameters = named(settings.parameters);
  const body = settings.body === undefined ? undefined : parseTemplate(settings.body);
  const templates = [url, ...[...headers, ...parameters].map(([, template]) => template), body ?? []];
  return {
    settings,
    url,
    checkUrl: settings.checkUrl === undefined ? undefined : parseTemplate(settings.checkUrl),
    headers,
    parameters,
    body,
    namesMedia: templates.some((template) => variablesOf(template).includes("media")),
    numberRules: settings.numberRules.map(({ pattern, replacement }) => ({
      pattern: new Pattern(pattern),
      replacement,
    })),
    successPattern: patternOf(settings.successPattern),
    failurePattern: patternOf(settings.failurePattern, true),
    successValues: new Set(settings.successValues.map((value) => value.toLowerCase())),
    errorRules: settings.errorRules.map((rule) => ({
      status: rule.status,
      pattern: patternOf(rule.pattern, true),
      path: rule.path,
      value: rule.value?.toLowerCase(),
      class: rule.class,
      reason: rule.reason,
    })),
    codePattern: patternOf(settings.codePattern),
    codes: new Map(Object.entries(settings.codes)),
    idPattern: patternOf(settings.idPattern),
    checkPattern: patternOf(settings.checkPattern),
    statusWords: words,
    callers: settings.webhookAddresses.length === 0 ? null : rangesOf(settings.webhookAddresses),
  };
}
