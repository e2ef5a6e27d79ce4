/**
 * What is set about the calls to a gateway.
 *
 * @module
 */
import { z } from "zod";
import { isKnownCountry } from "../../../core/phone_number.ts";
import { secret, told } from "./setting_help.ts";
import {
  bodyTemplate,
  headerName,
  headerTemplate,
  line,
  parameterName,
  pattern,
  textTemplate,
  urlTemplate,
} from "./setting_parts.ts";
import { CHARSETS, MESSAGE_FORMS } from "./text_encoding.ts";

export const requestShape = {
  method: told(
    z.enum(["GET", "POST", "PUT", "PATCH"]).default("POST"),
    "Method",
    "Of the call that sends",
    "POST",
  ),
  url: told(
    urlTemplate,
    "Address",
    "Called to send; variables stand in ${…}",
    "https://gateway.example.com/x.php?to=${phone}&text=${message}&id=${id}",
  ),
  auth: told(
    z.enum(["none", "basic", "bearer"]).default("none"),
    "Login",
    "basic: HTTP Basic with user and password; bearer: the password as a bearer token",
    "basic",
  ),
  parameters: told(
    z.record(parameterName, textTemplate).default({}),
    "Parameters",
    "Names with templates; one that comes out empty is left out",
    { to: "${phone}", text: "${message}" },
  ),
  parametersIn: told(
    z.enum(["query", "form", "json"]).default("form"),
    "Place of the parameters",
    "In the address, in a form, or as a JSON object of texts",
    "form",
  ),
};

export const accountShape = {
  user: told(line.optional(), "User", "For HTTP Basic and the variable user", "acme"),
  password: secret(line.optional(), "Password or key", "For the login and the variable password", "s3cret"),
  from: told(line.optional(), "Sender", "Replaces our number in the variable from", "ACME"),
};

export const headersShape = {
  headers: told(
    z.record(headerName, headerTemplate).default({}),
    "Headers",
    "Sent with every call; variables may be used",
    { "X-Api-Key": "${password}" },
  ),
};

export const bodyShape = {
  queryIn: told(
    z.enum(["query", "form"]).default("query"),
    "Query",
    "form: what follows the ? in the address goes into a form body instead",
    "form",
  ),
  body: told(
    bodyTemplate.optional(),
    "Body",
    "A body with variables. In JSON a variable that stands without quotes is a complete string",
    '{"to":${phone},"text":${message}}',
  ),
  bodyFormat: told(
    z.enum(["json", "xml", "form", "text"]).default("json"),
    "Form of the body",
    "Decides how values are escaped, and the Content-Type if no header does",
    "json",
  ),
};

export const textShape = {
  charset: told(
    z.enum(CHARSETS).default("utf-8"),
    "Character set",
    "Of what is sent and of what comes in; gsm: one octet for each character of the GSM alphabet",
    "utf-8",
  ),
  messageAs: told(
    z.enum(MESSAGE_FORMS).default("text"),
    "Form of the text",
    "As text or as hex digits: of UCS-2, of GSM octets, or of whichever the message needs",
    "text",
  ),
  spaceAs: told(z.enum(["%20", "+"]).default("%20"), "Space", "How a space is written in an address", "%20"),
};

export const numberShape = {
  phoneFormat: told(
    z.enum(["digits", "e164", "national"]).default("digits"),
    "Number format",
    "How the variable phone is written: country code without +, with +, or as dialled inside the country",
    "digits",
  ),
  numberRules: told(
    z.array(z.object({ pattern, replacement: line.default("") }).strict()).max(20).default([]),
    "Number rules",
    "Replacements made in the number one after the other; $1 stands for the first group",
    [{ pattern: "^5989(\\d{7})$", replacement: "09$1" }],
  ),
  defaultCountry: told(
    z.string().refine(isKnownCountry, { message: "is not a country's two letters" }).optional(),
    "Country",
    "Of numbers that come in without a country code",
    "UY",
  ),
};
