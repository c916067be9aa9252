/** The public API, called as whoever is signed in. A 401 waits for a sign-in and is tried again. */
import { Client } from "./vendor/client/client.js";
import { session } from "./session.js";

export const BASE = new URL("..", import.meta.url).href.replace(/\/$/, "");

export const api = new Client({ baseUrl: BASE, fetch: fetchSignedIn, retries: 1 });

/** What this token may do. Raises ApiError, with 401 where it opens nothing. */
export const identify = (token) => new Client({ baseUrl: BASE, token, retries: 0 }).getOwnToken();

async function fetchSignedIn(url, { headers, ...options }) {
  for (;;) {
    const used = session.token;
    const answer = await fetch(url, { ...options, headers: { ...headers, authorization: `Bearer ${used}` }, cache: "no-store" });
    if (answer.status !== 401) return answer;
    if (used === session.token) await session.again();
  }
}

/** Saves an answer as a file of this name. */
export async function download(path, query, accept, name) {
  const answer = await fetchSignedIn(urlOf(path, query), { headers: { accept } });
  if (!answer.ok) throw Object.assign(new Error((await answer.json()).message), { status: answer.status });
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
  return `curl -H "Authorization: Bearer $TOKEN"${kind} '${urlOf(path, query).replaceAll("'", "%27")}'`;
}
