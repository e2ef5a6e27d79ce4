/**
 * The HTTP API as its callers use it: JSON in and out, problems thrown.
 *
 * @module
 */

/** An answer outside 2xx. */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";

  constructor(readonly status: number, what: string, detail: string) {
    super(`${what}: ${status} ${detail}`);
  }
}

export class ApiClient {
  constructor(readonly url: string, readonly key: string) {}

  /** Rejects with {@link ApiProblem}. The caller knows the shape of what it asks for. */
  get<T>(path: string): Promise<T> {
    return this.#call<T>("GET", path);
  }

  post<T>(path: string, body?: unknown): Promise<T> {
    return this.#call<T>("POST", path, body);
  }

  patch<T>(path: string, body: unknown): Promise<T> {
    return this.#call<T>("PATCH", path, body);
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.key}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new ApiProblem(response.status, `${method} ${path}`, text);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }
}
