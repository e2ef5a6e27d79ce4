/**
 * HTTP Digest as a small device asks for it: one nonce at a time, its count going up, stale after some uses.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { ServerRequest } from "./http_server.ts";

export interface DigestLogin {
  readonly user: string;
  readonly password: string;
  readonly realm: string;
}

const md5 = (text: string) => createHash("md5").update(text).digest("hex");

export class DigestGuard {
  #nonce = crypto.randomUUID().replaceAll("-", "");
  #uses = 0;

  constructor(private readonly login: DigestLogin, private readonly usesMax: number) {}

  /** Null when the request proves the login; else the value of `WWW-Authenticate`. */
  refuse(request: ServerRequest): string | null {
    const header = request.header("authorization") ?? "";
    const field = (name: string) => new RegExp(`[ ,]${name}="?([^",]*)"?`).exec(header)?.[1] ?? "";
    const uri = request.query === "" ? request.path : `${request.path}?${request.query}`;
    const nc = parseInt(field("nc"), 16);
    const { user, password, realm } = this.login;
    const response = md5(
      [
        md5(`${user}:${realm}:${password}`),
        field("nonce"),
        field("nc"),
        field("cnonce"),
        "auth",
        md5(`${request.method}:${uri}`),
      ].join(":"),
    );
    const isRight = header.startsWith("Digest ") && field("username") === user && field("uri") === uri &&
      field("response") === response;
    if (isRight && field("nonce") === this.#nonce && nc > this.#uses && nc <= this.usesMax) {
      this.#uses = nc;
      return null;
    }
    if (this.#uses > 0) {
      this.#nonce = crypto.randomUUID().replaceAll("-", "");
      this.#uses = 0;
    }
    return `Digest realm="${realm}", qop="auth", nonce="${this.#nonce}"${isRight ? ", stale=true" : ""}`;
  }
}
