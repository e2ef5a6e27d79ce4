/**
 * Fields that most events have.
 *
 * @module
 */
import { z } from "zod";

export const CHANNEL_ID = z.string().describe("Id of the channel, or - where none is concerned");
export const OWN_NUMBER = z.string().describe("Ours: E.164, a short code or a sender's name");
export const CONTACT = z.string().describe("Theirs, E.164");
