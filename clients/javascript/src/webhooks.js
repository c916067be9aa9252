// Webhooks: is a request from the service? https://www.standardwebhooks.com tells how it signs.

const TOLERANCE_S = 300;

/** The request is not from the service, or it is an old one. */
export class WebhookError extends Error {}

WebhookError.prototype.name = "WebhookError";

/**
 * The event of a request whose signature is right. Throws WebhookError otherwise.
 *
 * @param {string | Uint8Array} body as it came, byte by byte
 * @param {Headers | Record<string, string | string[] | undefined>} headers
 * @param {string} secret `whsec_...`
 * @param {{toleranceS?: number, now?: number}} [options] seconds that a request may be old; the time
 * in milliseconds
 * @returns {Promise<import("./types.js").WebhookEvent>}
 */
export async function verifyWebhook(body, headers, secret, options = {}) {
  const { toleranceS = TOLERANCE_S, now = Date.now() } = options;
  const given = new Headers(/** @type {HeadersInit} */ (headers));
  const [id, timestamp, signatures] = ["id", "timestamp", "signature"].map((name) =>
    given.get(`webhook-${name}`),
  );
  if (!id || !timestamp || !signatures) throw new WebhookError("the request has no signature");
  if (!/^\d+$/.test(timestamp) || Math.abs(now / 1000 - Number(timestamp)) > toleranceS) {
    throw new WebhookError("the request is too old, or from the future");
  }
  const content = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const head = new TextEncoder().encode(`${id}.${timestamp}.`);
  const signed = new Uint8Array(head.length + content.length);
  signed.set(head);
  signed.set(content, head.length);
  const key = await crypto.subtle.importKey(
    "raw",
    fromBase64(secret.replace(/^whsec_/, "")),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["verify"],
  );
  for (const signature of signatures.split(" ")) {
    const [version, value = ""] = signature.split(",");
    // `verify` compares in constant time
    if (version === "v1" && (await crypto.subtle.verify("HMAC", key, fromBase64(value), signed))) {
      return JSON.parse(new TextDecoder().decode(content));
    }
  }
  throw new WebhookError("the signature is wrong");
}

/** @param {string} text */
function fromBase64(text) {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw new WebhookError("the signature, or the secret, is no base64");
  }
}
