/**
 * Names that people give to things.
 *
 * @module
 */
import { z } from "zod";

/** 1 to 100 characters, no control characters, not blank at either end. */
export const NameSchema = z.string().min(1).max(100)
  .regex(/^[^\p{C}]*$/u, "must have no control characters")
  .refine((name) => name === name.trim(), "must not begin or end with a blank");

export const IdSchema = z.string().min(1).max(64);
