/**
 * What stands in a preset file: a gateway that is called over HTTP, described once, so that connecting an account
 * takes only what its portal shows. `docs/providers/generic.md` explains the format with an example.
 *
 * @module
 */
import { z } from "zod";
import { errorClass } from "./answer_settings.ts";
import { GatewayShape } from "./settings.ts";

const name = z.string().regex(/^[a-z][A-Za-z0-9]{0,39}$/, "must be a name like accountId");
const settingName = z.string().refine((text) => Object.hasOwn(GatewayShape, text), {
  message: "is not one of the gateway's settings",
});
const gatewayPart = z.record(settingName, z.unknown());
const source = z.enum(["documented", "assumed"]);

const told = {
  title: z.string().min(1).max(60).optional(),
  description: z.string().min(1).max(300).optional(),
  example: z.unknown().optional(),
  required: z.boolean().default(false),
};

/** One of the gateway's settings, shown under a name of the preset's own. */
const SettingField = z.object({ ...told, setting: settingName }).strict();
/** A text that the preset puts into its templates as `@{name}`. */
const TextField = z.object({
  ...told,
  title: z.string().min(1).max(60),
  description: z.string().min(1).max(300),
  text: z.string().max(200).describe("Pattern that it must match as a whole"),
}).strict();
/** One of several ways; each changes the gateway. */
const ChoiceField = z.object({
  title: z.string().min(1).max(60),
  description: z.string().min(1).max(300),
  default: z.string(),
  choices: z.record(z.string().min(1).max(40), gatewayPart),
}).strict().refine((field) => Object.hasOwn(field.choices, field.default), {
  message: "is not one of the choices",
  path: ["default"],
});

export const PresetSchema = z.object({
  kind: z.string().regex(/^[a-z0-9-]{1,40}$/),
  title: z.string().min(1).max(60),
  docsUrl: z.url({ protocol: /^https$/ }),
  mms: z.boolean().default(false),
  deliveryReports: z.boolean().default(true),
  channel: z.record(z.string(), z.unknown()).default({}).describe(
    "Defaults of the channel's shared settings",
  ),
  fields: z.record(name, z.union([SettingField, TextField, ChoiceField])),
  gateway: gatewayPart,
  facts: z.array(z.object({ fact: z.string().min(1), source }).strict()).default([]),
  errors: z.array(
    z.object({ code: z.string().min(1), class: errorClass, reason: z.string().min(1), source }).strict(),
  ).default([]),
}).strict();

export type Preset = z.output<typeof PresetSchema>;
