/**
 * Media in a bucket that speaks S3: Amazon's, or one of the many others. Signed with Signature Version 4.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/
 *
 * A part of an upload that a crash broke off stays in the bucket unseen; a lifecycle rule that aborts incomplete
 * multipart uploads clears it away.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { AwsClient } from "aws4fetch";
import type { ByteRange } from "../../core/media/byte_range.ts";
import type { MediaStore } from "../../core/ports/media_store.ts";

export interface S3Settings {
  /** Such as `https://s3.eu-central-1.amazonaws.com`. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** What is in memory of an upload. Amazon takes parts of 5 MiB and more. */
const PART_BYTES = 8_388_608;
const TIMEOUT_MS = 60_000;

/** The bucket refused or did not answer as it should. */
export class S3Error extends Error {
  override readonly name = "S3Error";
}

export class S3MediaStore implements MediaStore {
  readonly #client: AwsClient;
  readonly #base: string;

  constructor({ endpoint, bucket, region, accessKeyId, secretAccessKey }: S3Settings) {
    this.#client = new AwsClient({ accessKeyId, secretAccessKey, region, service: "s3", retries: 2 });
    this.#base = `${endpoint.replace(/\/+$/, "")}/${encodeURIComponent(bucket)}`;
  }

  async put(name: string, bytes: AsyncIterable<Uint8Array>, contentType: string): Promise<void> {
    let upload: Upload | null = null;
    try {
      let former: Uint8Array | null = null;
      for await (const part of parts(bytes)) {
        if (former !== null) {
          upload ??= await this.#begin(name, contentType);
          await this.#putPart(name, upload, former);
        }
        former = part;
      }
      const last = former ?? new Uint8Array();
      if (upload === null) await this.#call("PUT", name, "", last, { "content-type": contentType });
      else {
        await this.#putPart(name, upload, last);
        await this.#complete(name, upload);
      }
    } catch (error) {
      if (upload !== null) await this.#abort(name, upload).catch(() => {});
      throw error;
    }
  }

  read(name: string, { start, end }: ByteRange): ReadableStream<Uint8Array> {
    let reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        if (reader === null) {
          const response = await this.#call("GET", name, "", null, { range: `bytes=${start}-${end - 1}` });
          if (response.status !== 206) throw new S3Error(`the bucket ignored the range of ${name}`);
          reader = response.body!.getReader();
        }
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async (reason) => await reader?.cancel(reason),
    }, { highWaterMark: 0 });
  }

  async remove(name: string): Promise<void> {
    await settled(await this.#call("DELETE", name, "", null, {}, [404]));
  }

  async #begin(name: string, contentType: string): Promise<Upload> {
    const response = await this.#call("POST", name, "?uploads", null, { "content-type": contentType });
    const id = /<UploadId>([^<]+)<\/UploadId>/.exec(await response.text())?.[1];
    if (id === undefined) throw new S3Error("the bucket began an upload without an UploadId");
    return { id: id.replaceAll("&amp;", "&"), etags: [] };
  }

  async #putPart(name: string, upload: Upload, bytes: Uint8Array): Promise<void> {
    const query = `?partNumber=${upload.etags.length + 1}&uploadId=${encodeURIComponent(upload.id)}`;
    const response = await settled(await this.#call("PUT", name, query, bytes));
    const etag = response.headers.get("etag");
    if (etag === null) throw new S3Error("the bucket took a part without an ETag");
    upload.etags.push(etag);
  }

  async #complete(name: string, upload: Upload): Promise<void> {
    const parts = upload.etags.map((etag, index) =>
      `<Part><PartNumber>${index + 1}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`
    );
    const body = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
    const query = `?uploadId=${encodeURIComponent(upload.id)}`;
    const response = await this.#call("POST", name, query, new TextEncoder().encode(body), {
      "content-type": "application/xml",
    });
    // It may answer 200 and tell of a failure in the body.
    const answer = await response.text();
    if (answer.includes("<Error>")) {
      throw new S3Error(`the bucket did not complete an upload: ${codeOf(answer)}`);
    }
  }

  async #abort(name: string, upload: Upload): Promise<void> {
    await settled(
      await this.#call("DELETE", name, `?uploadId=${encodeURIComponent(upload.id)}`, null, {}, [404]),
    );
  }

  async #call(
    method: string,
    name: string,
    query: string,
    body: Uint8Array | null,
    headers: Readonly<Record<string, string>> = {},
    alsoFine: readonly number[] = [],
  ): Promise<Response> {
    const hash = createHash("sha256").update(body ?? "").digest("hex");
    const response = await this.#client.fetch(`${this.#base}/${encodeURIComponent(name)}${query}`, {
      method,
      headers: { ...headers, "x-amz-content-sha256": hash },
      body: body as Uint8Array<ArrayBuffer> | null,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.ok || alsoFine.includes(response.status)) return response;
    throw new S3Error(`the bucket answered ${response.status} ${codeOf(await response.text())} to ${method}`);
  }
}

interface Upload {
  readonly id: string;
  readonly etags: string[];
}

async function settled(response: Response): Promise<Response> {
  await response.body?.cancel();
  return response;
}

function codeOf(xml: string): string {
  return /<Code>([\w.]{1,100})<\/Code>/.exec(xml)?.[1] ?? "without a code";
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** The same bytes in parts of one size; only the last may be smaller. */
async function* parts(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let chunks: Uint8Array[] = [];
  let size = 0;
  for await (let chunk of bytes) {
    while (size + chunk.length >= PART_BYTES) {
      const part = chunk.subarray(0, PART_BYTES - size);
      yield joined([...chunks, part], PART_BYTES);
      chunk = chunk.subarray(part.length);
      chunks = [];
      size = 0;
    }
    if (chunk.length > 0) chunks.push(chunk);
    size += chunk.length;
  }
  if (size > 0) yield joined(chunks, size);
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
