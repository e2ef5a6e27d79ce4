/**
 * Everything that can be set for a gateway that is called over HTTP. The kind `http` shows all of it; the older
 * kinds and the presets show a part and fill in the rest.
 *
 * @module
 */
import { z } from "zod";
import { answerShape, checkShape } from "./answer_settings.ts";
import { inboundShape, webhookShape } from "./inbound_settings.ts";
import {
  accountShape,
  bodyShape,
  headersShape,
  numberShape,
  requestShape,
  textShape,
} from "./sending_settings.ts";

export const GatewayShape = {
  ...requestShape,
  ...accountShape,
  ...headersShape,
  ...bodyShape,
  ...textShape,
  ...numberShape,
  ...answerShape,
  ...checkShape,
  ...inboundShape,
  ...webhookShape,
};

const RawSettings = z.object(GatewayShape);
export type GatewaySettings = z.output<typeof RawSettings>;
