// Requests: how they are sent, sent again, and what an error is.

const LONGEST_WAIT_MS = 30_000; // a Retry-After beyond it is the caller's decision
const FIRST_WAIT_MS = 500;
const PASSING = new Set([429, 502, 503, 504]);

/** What the service refused, or a connection that failed (status 0). */
export class ApiError extends Error {
  /**
   * @param {number} status the HTTP status; 0 where no answer came
   * @param {string} code the service's own, such as `BOT_NOT_FOUND`, else `http_404`, `network`
   * or `stream_ended`
   * @param {string} message
   * @param {{retryAfter?: number | undefined, params?: Record<string, string>, cause?: unknown}} [more]
   */
  constructor(status, code, message, more = {}) {
    super(message, { cause: more.cause });
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    /** Seconds until it may be asked again, where the service says so. */
    this.retryAfter = more.retryAfter;
    /** Each parameter at fault, with the reason. */
    this.params = more.params ?? {};
  }
}

/**
 * @typedef {object} Request
 * @property {string} method
 * @property {string} path
 * @property {Record<string, unknown>} [query]
 * @property {any} [body]
 * @property {string | undefined} [type] of the body; a form tells its own
 * @property {string} [accept]
 * @property {Record<string, string>} [headers]
 * @property {boolean} [repeatable] does no harm when it is done twice
 * @property {import("./types.js").CallOptions} options
 */

/** Sends requests to one service. */
export class Transport {
  /** @param {import("./types.js").ClientOptions} options */
  constructor({ baseUrl, token, fetch = globalThis.fetch, timeout = 120_000, retries = 2 }) {
    this.baseUrl = baseUrl.replace(/\/+$/, "");
    this.token = token;
    this.fetch = fetch;
    this.timeout = timeout;
    this.retries = retries;
  }

  /**
   * The answer's JSON, without the envelope of its dialect.
   *
   * @param {Request} request
   * @returns {Promise<any>}
   */
  async json(request) {
    return unwrapped(await this.#retried(request, (response) => response.json()));
  }

  /**
   * The answer's bytes as they come.
   *
   * @param {Request} request
   * @returns {Promise<ReadableStream<Uint8Array<ArrayBuffer>>>}
   */
  async stream(request) {
    const body = await this.#retried(request, async (response) => response.body);
    return body ?? new Blob().stream();
  }

  /**
   * A call is tried again with growing, random delays: one that was refused for its rate, and, where
   * it is repeatable, one that an overload or the network ended.
   *
   * @template T
   * @param {Request} request
   * @param {(response: Response) => Promise<T>} read
   * @returns {Promise<T>}
   */
  async #retried(request, read) {
    const { signal, retries = this.retries } = request.options;
    const again = request.body instanceof ReadableStream ? 0 : retries;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#once(request, read);
      } catch (error) {
        if (!(error instanceof ApiError) || attempt >= again) throw error;
        if (!mayRepeat(error, request.repeatable ?? false)) throw error;
        const wait = delay(error, attempt);
        if (wait > LONGEST_WAIT_MS) throw error;
        await sleep(wait, signal);
      }
    }
  }

  /**
   * @template T
   * @param {Request} request
   * @param {(response: Response) => Promise<T>} read
   * @returns {Promise<T>}
   */
  async #once(request, read) {
    const { signal, timeout = this.timeout } = request.options;
    signal?.throwIfAborted();
    const late = new AbortController();
    const timer =
      timeout > 0
        ? setTimeout(() => late.abort(new DOMException("no answer in time", "TimeoutError")), timeout)
        : undefined;
    try {
      const { fetch } = this; // called without `this`: browsers insist on it
      const response = await fetch(this.#url(request), {
        method: request.method,
        headers: this.#headers(request),
        body: request.body ?? null,
        signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal,
        ...(request.body instanceof ReadableStream && { duplex: "half" }),
      });
      if (!response.ok) throw await errorOf(response);
      return await read(response);
    } catch (error) {
      if (error instanceof ApiError || signal?.aborted || late.signal.aborted) throw error;
      throw new ApiError(0, "network", `no answer from ${this.baseUrl || "the service"}`, {
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param {Request} request */
  #url({ path, query = {} }) {
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
    const text = new URLSearchParams(given.map(([name, value]) => [name, inQuery(value)])).toString();
    return `${this.baseUrl}${path}${text && `?${text}`}`;
  }

  /** @param {Request} request */
  #headers({ type, accept = "application/json", headers }) {
    return {
      accept,
      ...(this.token && { authorization: `Bearer ${this.token}` }),
      ...(type && { "content-type": type }),
      ...headers,
    };
  }
}

/**
 * @param {unknown} value
 * @returns {string}
 */
function inQuery(value) {
  if (Array.isArray(value)) return value.join(",");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** @param {any} body */
function unwrapped(body) {
  const isEnveloped = body?.success === true || body?.status === "success";
  return isEnveloped && body.data !== undefined ? body.data : body;
}

/**
 * @param {Response} response
 * @returns {Promise<ApiError>}
 */
async function errorOf(response) {
  const text = await response.text();
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    body = {}; // a proxy's page
  }
  const fault = body?.error ?? body ?? {};
  const message = fault.message ?? `${response.status} ${response.statusText}`.trim();
  return new ApiError(response.status, fault.code ?? `http_${response.status}`, message, {
    retryAfter: secondsOf(response.headers.get("retry-after")),
    params: body?.data?.params ?? {},
  });
}

/** @param {string | null} header seconds, or a date */
function secondsOf(header) {
  if (header === null || header.trim() === "") return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const until = Date.parse(header);
  return Number.isNaN(until) ? undefined : Math.max(0, (until - Date.now()) / 1000);
}

/**
 * @param {ApiError} error
 * @param {boolean} repeatable
 */
function mayRepeat(error, repeatable) {
  if (error.status === 429) return true; // refused before anything was done
  return repeatable && (error.status === 0 || PASSING.has(error.status));
}

/**
 * @param {ApiError} error
 * @param {number} attempt
 */
function delay(error, attempt) {
  return (error.retryAfter ?? 0) * 1000 + backoff(attempt);
}

/**
 * Milliseconds, random so that not all come back in the same moment.
 *
 * @param {number} failures
 */
export function backoff(failures) {
  return FIRST_WAIT_MS * 2 ** Math.min(failures, 6) * (0.5 + Math.random() / 2);
}

/**
 * @param {number} ms
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<void>}
 */
export function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      resolve();
    }, ms);
    if (signal?.aborted) end();
    else signal?.addEventListener("abort", end, { once: true });
  });
}
