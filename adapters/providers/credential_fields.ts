/**
 * What the settings of several providers have in common.
 *
 * @module
 */
import { z } from "zod";
import type { Channel } from "../../core/channel.ts";

/** A secret that is visible ASCII. */
export function secretField(title: string, help: string, example: string) {
  return z.string().min(1).max(500).regex(/^[\x21-\x7e]+$/, "must be visible ASCII without spaces").meta({
    secret: true,
    title,
    description: help,
    examples: [example],
  });
}

/** A short name or id that is visible ASCII. */
export function plainField(title: string, help: string, example: string) {
  return z.string().min(1).max(200).regex(/^[\x21-\x7e]+$/, "must be visible ASCII without spaces").meta({
    title,
    description: help,
    examples: [example],
  });
}

/** The credential `name` if it is a text that is not empty. */
export function credential(channel: Channel, name: string): string | undefined {
  const value = channel.credentials[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The credential `name`; throws where it is missing, which is a fault of configuration. */
export function requiredCredential(channel: Channel, name: string): string {
  const value = credential(channel, name);
  if (value === undefined) throw new Error(`channel ${channel.id} has no ${name}`);
  return value;
}

/** The channel's base address, or the provider's own, without a slash at the end. */
export function baseUrlOf(channel: Channel, usual: string): string {
  return (channel.settings.baseUrl ?? usual).replace(/\/+$/, "");
}
