/**
 * Makes a provider of a preset file.
 *
 * @module
 */
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { mergePatch } from "../../../core/configuration/merge.ts";
import { Pattern } from "../../../core/pattern.ts";
import type { Provider } from "../../../core/ports/provider.ts";
import { WEBHOOK_AUTHENTICATION } from "./description.ts";
import { type Preset, PresetSchema } from "./preset_format.ts";
import { httpProvider } from "./provider.ts";
import { webhookShape } from "./inbound_settings.ts";
import { GatewayShape } from "./settings.ts";
import { GatewaySchema } from "./settings_check.ts";

type Fields = Readonly<Record<string, unknown>>;

const REFERENCE = /@\{([A-Za-z0-9]+)\}/g;

/** Puts the texts that were filled in for `@{name}` wherever strings stand. */
function filled(value: unknown, texts: Fields): unknown {
  if (typeof value === "string") {
    return value.replace(
      REFERENCE,
      (_, name: string) => String(Object.hasOwn(texts, name) ? texts[name] ?? "" : ""),
    );
  }
  if (Array.isArray(value)) return value.map((one) => filled(one, texts));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filled(one, texts)]));
}

function settingOf(preset: Preset, name: string): string | undefined {
  const field = preset.fields[name];
  return field !== undefined && "setting" in field ? field.setting : undefined;
}

/** The gateway's settings: the preset's, then each choice's, then what was filled in, then the overrides. */
function settingsOf(preset: Preset, credentials: Fields): Fields {
  let gateway: Fields = preset.gateway;
  const direct: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(preset.fields)) {
    const value = credentials[name];
    if ("choices" in field) gateway = mergePatch(gateway, field.choices[String(value)] ?? {});
    else if ("setting" in field && value !== undefined) direct[field.setting] = value;
  }
  for (const name of Object.keys(webhookShape)) {
    if (credentials[name] !== undefined) direct[name] = credentials[name];
  }
  const whole = { ...filled(gateway, credentials) as Fields, ...direct };
  return mergePatch(whole, (credentials.overrides ?? {}) as Fields);
}

function fieldSchema(preset: Preset, name: string): z.ZodType {
  const field = preset.fields[name]!;
  if ("choices" in field) {
    return z.enum(Object.keys(field.choices)).default(field.default)
      .meta({ title: field.title, description: field.description, examples: [field.default] });
  }
  const meta = {
    ...(field.title !== undefined && { title: field.title }),
    ...(field.description !== undefined && { description: field.description }),
    ...(field.example !== undefined && { examples: [field.example] }),
  };
  if ("text" in field) {
    const pattern = new Pattern(`^(?:${field.text})$`);
    const text = z.string().max(500).refine((value) => pattern.test(value), {
      message: `must look like ${field.text}`,
    });
    return (field.required ? text : text.optional()).meta(meta);
  }
  const setting: z.ZodType = GatewayShape[field.setting as keyof typeof GatewayShape];
  const known = setting.meta() ?? {};
  const given = preset.gateway[field.setting];
  const inner = bare(setting);
  const schema = field.required
    ? inner
    : given === undefined
    ? inner.optional()
    : inner.default(given as never);
  return schema.meta({ ...known, ...meta });
}

/** The schema within its default: what a preset leaves out, the gateway's own default fills in. */
function bare(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault
    ? bare(schema.unwrap() as z.ZodType)
    : schema;
}

const overrides = z.record(
  z.string().refine((name) => Object.hasOwn(GatewayShape, name), {
    message: "is not one of the gateway's settings",
  })
    .refine((name) => !Object.hasOwn(webhookShape, name) && name !== "password", {
      message: "has a field of its own beside the overrides",
    }),
  z.unknown(),
).optional().meta({
  title: "Overrides",
  description: "Any setting of the kind http, in place of the preset's; null takes one away",
  examples: [{ parameters: { to: null, destino: "${phone}" } }],
});

function credentialsOf(preset: Preset): z.ZodObject {
  const shown = Object.fromEntries(
    Object.keys(preset.fields).map((name) => [name, fieldSchema(preset, name)]),
  );
  const schema = z.object({ ...shown, ...webhookShape, overrides }).strict();
  return schema.superRefine((fields, context) => {
    const result = GatewaySchema.safeParse(settingsOf(preset, fields));
    for (const issue of result.error?.issues ?? []) {
      const [first = "", ...rest] = issue.path.map(String);
      const field = Object.keys(preset.fields).find((name) => settingOf(preset, name) === first);
      const path = field !== undefined
        ? [field]
        : Object.hasOwn(webhookShape, first)
        ? [first]
        : ["overrides", first];
      context.addIssue({ code: "custom", path: [...path, ...rest], message: issue.message });
    }
  });
}

function checkReferences(preset: Preset): void {
  const known = new Set(
    Object.entries(preset.fields).filter(([, field]) => "text" in field).map(([name]) => name),
  );
  const text = JSON.stringify([preset.gateway, preset.fields]);
  for (const [, name] of text.matchAll(REFERENCE)) {
    if (!known.has(name!)) throw new Error(`@{${name}} is not a field with a text`);
  }
}

/**
 * The provider that a preset file describes.
 *
 * @throws {Error} where the file does not fit the format, and says where.
 */
export function readPreset(yaml: string): Provider {
  const result = PresetSchema.safeParse(parseYaml(yaml));
  if (!result.success) throw new Error(z.prettifyError(result.error));
  const preset = result.data;
  checkReferences(preset);
  return httpProvider({
    kind: preset.kind,
    title: preset.title,
    credentials: credentialsOf(preset),
    defaults: preset.channel,
    description: {
      docsUrl: preset.docsUrl,
      authentication: WEBHOOK_AUTHENTICATION,
      facts: preset.facts,
      errors: preset.errors,
    },
    mms: preset.mms,
    deliveryReports: preset.deliveryReports,
    settingsOf: (credentials) => settingsOf(preset, credentials),
  });
}
