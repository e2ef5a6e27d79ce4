/**
 * A small stand-in for an S3 bucket: it keeps objects in memory, joins multipart uploads, and checks Signature
 * Version 4 of every request by a reckoning of its own. It is not Amazon's: what it proves is that requests are
 * well formed and rightly signed.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 *
 * @module
 */
import { createHash, createHmac } from "node:crypto";

const hmac = (key: string | Uint8Array, text: string) => createHmac("sha256", key).update(text).digest();
const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");

interface Upload {
  readonly name: string;
  readonly parts: Map<number, Uint8Array>;
}

export class S3Server implements AsyncDisposable {
  readonly settings;
  readonly objects = new Map<string, Uint8Array>();
  readonly uploads = new Map<string, Upload>();
  readonly refusals: string[] = [];
  /** The largest body that came. */
  largestBody = 0;
  /** Answers given instead of what is asked, by the number of the request. */
  failNext: number[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #ids = 0;

  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#handle(request),
    );
    this.settings = {
      endpoint: `http://127.0.0.1:${this.#server.addr.port}`,
      bucket: "media-bucket",
      region: "eu-test-1",
      accessKeyId: "AKIDTEST",
      secretAccessKey: "secret/of+the tests",
    };
  }

  async #handle(request: Request): Promise<Response> {
    const body = new Uint8Array(await request.arrayBuffer());
    this.largestBody = Math.max(this.largestBody, body.length);
    const failure = this.failNext.shift();
    if (failure !== undefined) {
      return new Response("<Error><Code>SlowDown</Code></Error>", { status: failure });
    }
    const fault = this.#signatureFault(request, body);
    if (fault !== null) {
      this.refusals.push(fault);
      return new Response("<Error><Code>SignatureDoesNotMatch</Code></Error>", { status: 403 });
    }
    const url = new URL(request.url);
    const [, bucket, name] = url.pathname.split("/");
    if (bucket !== this.settings.bucket || name === undefined) return new Response(null, { status: 404 });
    return this.#answer(request, decodeURIComponent(name), url.searchParams, body);
  }

  #answer(request: Request, name: string, query: URLSearchParams, body: Uint8Array): Response {
    const uploadId = query.get("uploadId");
    const upload = uploadId === null ? undefined : this.uploads.get(uploadId);
    if (request.method === "POST" && query.has("uploads")) {
      const id = `up/${++this.#ids}+x`;
      this.uploads.set(id, { name, parts: new Map() });
      return new Response(
        `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
      );
    }
    if (uploadId !== null && upload === undefined) return new Response(null, { status: 404 });
    if (request.method === "PUT") {
      if (upload === undefined) this.objects.set(name, body);
      else upload.parts.set(Number(query.get("partNumber")), body);
      return new Response(null, { headers: { etag: `"${sha256(body).slice(0, 32)}"` } });
    }
    if (request.method === "POST") return this.#complete(upload!, uploadId!, new TextDecoder().decode(body));
    if (request.method === "DELETE") {
      if (uploadId !== null) this.uploads.delete(uploadId);
      else this.objects.delete(name);
      return new Response(null, { status: 204 });
    }
    const object = this.objects.get(name);
    if (object === undefined) return new Response("<Error><Code>NoSuchKey</Code></Error>", { status: 404 });
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "") ?? [];
    return start === undefined
      ? new Response(object as Uint8Array<ArrayBuffer>)
      : new Response(object.slice(Number(start), Number(end) + 1), { status: 206 });
  }

  /** Amazon's rule: parts but the last have 5 MiB; the list names each with its ETag. */
  #complete({ name, parts }: Upload, id: string, list: string): Response {
    const named = [...list.matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>([^<]+)<\/ETag>/g)];
    const bytes = named.map(([, number, etag]) => {
      const part = parts.get(Number(number));
      return part !== undefined && etag!.replaceAll("&quot;", "") === sha256(part).slice(0, 32) ? part : null;
    });
    const isRight = bytes.length === parts.size &&
      bytes.every((part, i) => part !== null && (i === bytes.length - 1 || part.length >= 5_242_880));
    // An error within a 200, as Amazon may answer.
    if (!isRight) return new Response("<Error><Code>InvalidPart</Code></Error>");
    this.objects.set(name, new Uint8Array(bytes.flatMap((part) => [part!]).reduce(joined)));
    this.uploads.delete(id);
    return new Response("<CompleteMultipartUploadResult/>");
  }

  /** What is wrong with the signature, or null. */
  #signatureFault(request: Request, body: Uint8Array): string | null {
    const pattern =
      /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;
    const match = pattern.exec(request.headers.get("authorization") ?? "");
    if (match === null) return "no signature";
    const [, keyId, day, region, signedHeaders, signature] = match;
    if (keyId !== this.settings.accessKeyId || region !== this.settings.region) {
      return "another key or region";
    }
    const names = signedHeaders!.split(";");
    if (!["host", "x-amz-date", "x-amz-content-sha256"].every((name) => names.includes(name))) {
      return `signs only ${signedHeaders}`;
    }
    const contentHash = request.headers.get("x-amz-content-sha256");
    if (contentHash !== sha256(body)) return "the body has another hash";
    const url = new URL(request.url);
    const encode = (text: string) =>
      encodeURIComponent(text).replace(
        /[!'()*]/g,
        (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
      );
    const query = [...url.searchParams].map(([name, value]) => `${encode(name)}=${encode(value)}`).sort()
      .join("&");
    const canonical = [
      request.method,
      url.pathname,
      query,
      ...names.map((name) => `${name}:${name === "host" ? url.host : request.headers.get(name)?.trim()}`),
      "",
      signedHeaders,
      contentHash,
    ].join("\n");
    const scope = `${day}/${region}/s3/aws4_request`;
    const toSign = ["AWS4-HMAC-SHA256", request.headers.get("x-amz-date"), scope, sha256(canonical)].join(
      "\n",
    );
    const key = ["s3", "aws4_request"].reduce(
      (former: Uint8Array, text) => hmac(former, text),
      hmac(hmac(`AWS4${this.settings.secretAccessKey}`, day!), region!) as Uint8Array,
    );
    return hmac(key, toSign).toString("hex") === signature ? null : "the signature is another";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}
