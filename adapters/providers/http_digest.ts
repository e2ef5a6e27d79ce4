/**
 * HTTP Digest and Basic as a client answers their challenges (RFC 7616, RFC 2617; MD5, qop `auth` or none).
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { HttpAnswer, HttpCall } from "../../core/ports/provider.ts";
import { basicAuthorization } from "./secrets.ts";

/** Which schemes may be answered. Only one is ever tried: a second would count as another failed login. */
export type AuthScheme = "auto" | "digest" | "basic";

export interface Login {
  readonly user: string;
  readonly password: string;
}

export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly qop: "auth" | null;
  readonly stale: boolean;
}

const md5 = (text: string) => createHash("md5").update(text, "utf8").digest("hex");

const PARAMETER = /([A-Za-z][A-Za-z0-9_-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g;

function parametersOf(text: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const [, name, quoted, plain] of text.slice(0, 4_000).matchAll(PARAMETER)) {
    parameters.set(name!.toLowerCase(), quoted?.replace(/\\(.)/g, "$1") ?? plain ?? "");
  }
  return parameters;
}

/** The Digest challenge in a `WWW-Authenticate` header, which may hold others; null where there is none that we know. */
export function readDigestChallenge(header: string): DigestChallenge | null {
  const start = /(?:^|,)\s*Digest\s/i.exec(header);
  if (start === null) return null;
  const rest = header.slice(start.index + start[0].length);
  // The next scheme is a word that no equals sign follows.
  const end = /,\s*[A-Za-z][A-Za-z0-9-]*\s+(?=[A-Za-z][A-Za-z0-9_-]*\s*=)/.exec(rest);
  const parameters = parametersOf(end === null ? rest : rest.slice(0, end.index));
  const nonce = parameters.get("nonce");
  const algorithm = (parameters.get("algorithm") ?? "MD5").toUpperCase();
  const offered = parameters.get("qop")?.toLowerCase().split(/\s*,\s*/);
  if (nonce === undefined || algorithm !== "MD5") return null;
  if (offered !== undefined && !offered.includes("auth")) return null;
  return {
    realm: parameters.get("realm") ?? "",
    nonce,
    opaque: parameters.get("opaque"),
    qop: offered === undefined ? null : "auth",
    stale: parameters.get("stale")?.toLowerCase() === "true",
  };
}

export interface DigestResponse {
  readonly ha1: string;
  readonly ha2: string;
  readonly response: string;
  /** Eight hexadecimal digits. */
  readonly nc: string;
}

/** The response to a challenge. `use`: how often its nonce is used, from 1. */
export function digestResponse(
  challenge: Pick<DigestChallenge, "realm" | "nonce" | "qop">,
  { user, password }: Login,
  method: string,
  uri: string,
  use: number,
  cnonce: string,
): DigestResponse {
  const ha1 = md5(`${user}:${challenge.realm}:${password}`);
  const ha2 = md5(`${method}:${uri}`);
  const nc = use.toString(16).padStart(8, "0");
  const middle = challenge.qop === null ? challenge.nonce : `${challenge.nonce}:${nc}:${cnonce}:auth`;
  return { ha1, ha2, nc, response: md5(`${ha1}:${middle}:${ha2}`) };
}

/** A number that nobody can foresee without the password, and that differs with every use. */
function clientNonce(challenge: DigestChallenge, { password }: Login, use: number): string {
  return createHash("sha256").update(`${password}\0${challenge.nonce}\0${use}`).digest("hex").slice(0, 16);
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** The `Authorization` header that answers `challenge` for `call`. */
export function digestAuthorization(
  challenge: DigestChallenge,
  login: Login,
  call: Pick<HttpCall, "method" | "url">,
  use: number,
): string {
  const { pathname, search } = new URL(call.url);
  const uri = pathname + search;
  const cnonce = clientNonce(challenge, login, use);
  const { response, nc } = digestResponse(challenge, login, call.method, uri, use, cnonce);
  const parts = [
    `username=${quoted(login.user)}`,
    `realm=${quoted(challenge.realm)}`,
    `nonce=${quoted(challenge.nonce)}`,
    `uri=${quoted(uri)}`,
    "algorithm=MD5",
    `response="${response}"`,
    ...(challenge.qop === null ? [] : ["qop=auth", `nc=${nc}`, `cnonce="${cnonce}"`]),
    ...(challenge.opaque === undefined ? [] : [`opaque=${quoted(challenge.opaque)}`]),
  ];
  return `Digest ${parts.join(", ")}`;
}

/** Whether the refused `Authorization` was no repeated use of a nonce: then the credentials are wrong. */
function isFirstUse(given: string, challenge: DigestChallenge): boolean {
  const parameters = parametersOf(given);
  return parameters.get("nonce") === challenge.nonce || parameters.get("nc") === "00000001";
}

/**
 * `call` with the credentials that `challenge` asks for; null where it asks for nothing, or has refused these very
 * credentials.
 */
export function answerChallenge(
  challenge: HttpAnswer,
  call: HttpCall,
  login: Login,
  scheme: AuthScheme,
  use: number,
): HttpCall | null {
  if (challenge.status !== 401) return null;
  const header = challenge.headers["www-authenticate"] ?? "";
  const given = call.headers["authorization"];
  const withHeader = (authorization: string) => ({
    ...call,
    headers: { ...call.headers, authorization },
  });
  const digest = scheme === "basic" ? null : readDigestChallenge(header);
  if (digest !== null) {
    if (given !== undefined && !digest.stale && isFirstUse(given, digest)) return null;
    return withHeader(digestAuthorization(digest, login, call, use));
  }
  if (scheme === "digest" || given !== undefined || !/(?:^|,)\s*Basic\b/i.test(header)) return null;
  return withHeader(basicAuthorization(login.user, login.password));
}
