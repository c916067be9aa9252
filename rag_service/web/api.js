/** The public API, called as whoever is signed in. A 401 waits for a sign-in and is tried again. */
import { session } from "./session.js";

export const BASE = new URL("..", import.meta.url).href.replace(/\/$/, "");

export class ApiError extends Error {
  constructor(status, message, retryAfter) {
    super(message);
    Object.assign(this, { status, retryAfter });
  }
}

/** `query`, `json`, `body`, `accept` and `signal` as they are needed. Answers a Response that is ok. */
export async function request(method, path, options = {}) {
  for (;;) {
    const used = options.token ?? session.token;
    const answer = await send(method, path, options, used);
    if (answer.ok) return answer;
    const error = await errorOf(answer);
    if (error.status !== 401 || options.token) throw error;
    if (used === session.token) await session.again();
  }
}

export const get = async (path, query, options) => (await request("GET", path, { query, ...options })).json();
export const send_ = async (method, path, json, options) => (await request(method, path, { json, ...options })).json();
export const post = (path, json, options) => send_("POST", path, json, options);
export const patch = (path, json) => send_("PATCH", path, json);
export const remove = (path, json, options) => send_("DELETE", path, json, options);

/** Server-sent events as `{event, data}`. */
export async function* events(path, json, signal) {
  const answer = await request("POST", path, { json, signal, accept: "text/event-stream" });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    held += value;
    const frames = held.split("\n\n");
    held = frames.pop();
    for (const frame of frames) {
      const lines = frame.split("\n");
      const event = lines.find((line) => line.startsWith("event: "))?.slice(7);
      const data = lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
      if (event) yield { event, data: JSON.parse(data.join("\n")) };
    }
  }
}

/** Saves an answer as a file of this name. */
export async function download(path, query, accept, name) {
  const answer = await request("GET", path, { query, accept });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export function urlOf(path, query) {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const search = new URLSearchParams(given).toString();
  return `${BASE}${path}${search && `?${search}`}`;
}

/** The same request as a line for a shell; the token is left to a variable. */
export function curl(path, query, accept) {
  const kind = accept ? ` -H 'Accept: ${accept}'` : "";
  return `curl -H "Authorization: Bearer $TOKEN"${kind} '${urlOf(path, query)}'`;
}

async function send(method, path, { query, json, body, accept, signal }, token) {
  const headers = { Authorization: `Bearer ${token}` };
  if (accept) headers.Accept = accept;
  if (json !== undefined) headers["Content-Type"] = "application/json";
  try {
    return await fetch(urlOf(path, query), {
      method, headers, signal, body: json === undefined ? body : JSON.stringify(json), cache: "no-store",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "");
  }
}

/** Each dialect has its own envelope; the reasons by parameter are what helps. */
async function errorOf(answer) {
  const told = await answer.json().catch(() => ({}));
  const params = Object.entries(told.data?.params ?? {}).map(([name, reason]) => `${name}: ${reason}`);
  const message = params.join("; ") || told.error?.message || told.message || answer.statusText;
  return new ApiError(answer.status, message, Number(answer.headers.get("retry-after")) || null);
}
