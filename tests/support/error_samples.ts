/**
 * One error of every class.
 *
 * @module
 */
import { FINAL_CLASSES, type MessageError, RETRYABLE_CLASSES } from "../../core/errors.ts";

export const ERROR_SAMPLES: readonly MessageError[] = [...RETRYABLE_CLASSES, ...FINAL_CLASSES].map((
  name,
) => ({
  class: name,
  providerCode: "42",
  reason: `it was ${name}`,
}));
