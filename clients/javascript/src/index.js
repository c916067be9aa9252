// A client of rag-service for Node 20, Deno and browsers, without dependencies.
export { Client } from "./client.js";
export { ApiError } from "./http.js";
export { verifyWebhook, WebhookError } from "./webhooks.js";

/** @typedef {import("./types.js").BatchResult} BatchResult */
/** @typedef {import("./types.js").ChatEvent} ChatEvent */
/** @typedef {import("./types.js").ClientOptions} ClientOptions */
/** @typedef {import("./types.js").Event} Event */
/** @typedef {import("./types.js").Filter} Filter */
/** @typedef {import("./types.js").Page} Page */
/** @typedef {import("./types.js").Schemas} Schemas */
