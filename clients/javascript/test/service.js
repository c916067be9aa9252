// The service that the tests speak to: `make test-clients` starts one and says where.
import { Client } from "../src/index.js";

const { SERVICE_URL = "", SERVICE_TOKEN = "" } = process.env;
if (!SERVICE_URL || !SERVICE_TOKEN) {
  console.error("SERVICE_URL and SERVICE_TOKEN have to tell a service that is empty: make test-clients");
  process.exit(1);
}

export { SERVICE_TOKEN, SERVICE_URL };

/** @param {Partial<import("../src/index.js").ClientOptions>} [more] */
export function client(more) {
  return new Client({ baseUrl: SERVICE_URL, token: SERVICE_TOKEN, ...more });
}

/** @template T @param {AsyncIterable<T>} items */
export async function all(items) {
  /** @type {T[]} */
  const found = [];
  for await (const item of items) found.push(item);
  return found;
}

/**
 * A fetch that answers what it is given, one after the other, and notes what it was asked.
 *
 * @param {(Response | Error)[]} answers
 */
export function scripted(...answers) {
  /** @type {Request[]} */
  const requests = [];
  /** @type {typeof globalThis.fetch} */
  const fetch = async (url, init) => {
    requests.push(new Request(url, init));
    const answer = answers.shift();
    if (answer === undefined) throw new Error("asked once too often");
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { fetch, requests };
}
