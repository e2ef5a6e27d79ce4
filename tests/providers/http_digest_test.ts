import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  answerChallenge,
  type AuthScheme,
  digestResponse,
  readDigestChallenge,
} from "../../adapters/providers/http_digest.ts";
import type { HttpCall } from "../../core/ports/provider.ts";

const LOGIN = { user: "apiuser", password: "s3cret" };
const NONCE = "5f1d2c3b4a59687700112233445566aa";
const CHALLENGE = `Digest realm="Web Server", qop="auth", nonce="${NONCE}", opaque="5ccc"`;
const CALL: HttpCall = { method: "POST", url: "http://192.0.2.9/api/send_sms?a=1", headers: {}, body: "{}" };

Deno.test("digest: the vector, and the example of RFC 2617", () => {
  const challenge = { realm: "Web Server", nonce: NONCE, qop: "auth" as const };
  deepStrictEqual(digestResponse(challenge, LOGIN, "POST", "/api/send_sms", 1, "0a4f113b"), {
    ha1: "7162309a988ee0281f05fed1dd80249c",
    ha2: "f3c07102d6ad30ee92d4cae9ee3123f6",
    nc: "00000001",
    response: "0c3996b9c55a7dc20d2cd5fa7cacfaa9",
  });
  const example = {
    realm: "testrealm@host.com",
    nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
    qop: "auth" as const,
  };
  const mufasa = { user: "Mufasa", password: "Circle Of Life" };
  const { response } = digestResponse(example, mufasa, "GET", "/dir/index.html", 1, "0a4f113b");
  strictEqual(response, "6629fae49393a05397450978507c4ef1");
  // Without qop, RFC 2069: the same example's response is in the errata of that document.
  const old = digestResponse({ ...example, qop: null }, mufasa, "GET", "/dir/index.html", 1, "");
  strictEqual(old.response, "670fd8c2df070c60b045671b8b24ff02");
});

Deno.test("digest: challenges as devices write them", () => {
  const cases: [header: string, found: string][] = [
    [CHALLENGE, `Web Server|${NONCE}|5ccc|auth|false`],
    ['digest nonce=abc, realm="x", stale=TRUE', "x|abc|undefined|null|true"],
    ['Basic realm="a", Digest realm="b", nonce="n", qop="auth,auth-int"', "b|n|undefined|auth|false"],
    ['Digest realm="b", nonce="n", algorithm=MD5, Basic realm="a"', "b|n|undefined|null|false"],
    ['Digest realm="say \\"hi\\"", nonce="n"', 'say "hi"|n|undefined|null|false'],
    ['Digest realm="b"', "none"],
    ['Digest realm="b", nonce="n", algorithm=SHA-256', "none"],
    ['Digest realm="b", nonce="n", qop="auth-int"', "none"],
    ['Basic realm="Digest"', "none"],
    ["", "none"],
  ];
  for (const [header, expected] of cases) {
    const read = readDigestChallenge(header);
    const found = read === null
      ? "none"
      : [read.realm, read.nonce, read.opaque, read.qop, read.stale].map(String).join("|");
    strictEqual(found, expected, header);
  }
});

const challenged = (header: string | undefined, status = 401) => ({
  status,
  headers: { "www-authenticate": header },
  body: "",
});

Deno.test("digest: one scheme is answered, and credentials that failed are not tried again", () => {
  const answer = (header: string | undefined, scheme: AuthScheme, call = CALL, use = 1) =>
    answerChallenge(challenged(header), call, LOGIN, scheme, use)?.headers["authorization"];
  const both = `Basic realm="x", ${CHALLENGE}`;
  ok(answer(both, "auto")?.startsWith("Digest "));
  ok(answer(both, "digest")?.startsWith("Digest "));
  strictEqual(answer(both, "basic"), `Basic ${btoa("apiuser:s3cret")}`);
  strictEqual(answer('Basic realm="x"', "auto"), `Basic ${btoa("apiuser:s3cret")}`);
  strictEqual(answer('Basic realm="x"', "digest"), undefined);
  strictEqual(answer(CHALLENGE, "basic"), undefined);
  strictEqual(answer(undefined, "auto"), undefined);
  strictEqual(answerChallenge(challenged(CHALLENGE, 403), CALL, LOGIN, "auto", 1), null);

  const first = answer(CHALLENGE, "auto")!;
  ok(
    first.includes('uri="/api/send_sms?a=1"') && first.includes("nc=00000001") &&
      first.includes('opaque="5ccc"'),
  );
  const sent = { ...CALL, headers: { authorization: first } };
  const other = CHALLENGE.replace(NONCE, "other");
  strictEqual(answer(CHALLENGE, "auto", sent), undefined, "the credentials are wrong");
  strictEqual(answer(other, "auto", sent), undefined, "… though the device makes a new nonce each time");
  ok(answer(`${other}, stale=true`, "auto", sent) !== undefined, "the nonce was too old");
  const reused = { ...CALL, headers: { authorization: answer(CHALLENGE, "auto", CALL, 2)! } };
  ok(answer(other, "auto", reused) !== undefined, "a nonce that may be used once");
  strictEqual(answer(CHALLENGE, "auto", reused), undefined);
  const basic = { ...CALL, headers: { authorization: `Basic ${btoa("apiuser:s3cret")}` } };
  strictEqual(answer('Basic realm="x"', "auto", basic), undefined);
});

Deno.test("digest: no header makes it throw", () => {
  fc.assert(fc.property(fc.string({ maxLength: 300 }), fc.string({ maxLength: 100 }), (header, given) => {
    const call = { ...CALL, headers: { authorization: given } };
    for (const scheme of ["auto", "digest", "basic"] as const) {
      answerChallenge(challenged(header), call, LOGIN, scheme, 1);
      answerChallenge(challenged(`Digest ${header}`), CALL, LOGIN, scheme, 1);
    }
  }));
});
