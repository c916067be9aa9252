// The methods: one a route, in the order of the documentation.
/** @import { BatchResult, ChatEvent, ClientOptions, Event, Export, Get, GoldenQuestion, Iterate, Options, Body, Page, Schemas, Send } from "./types.js" */
import { ApiError, backoff, sleep, Transport } from "./http.js";
import { jsonLines, ndjson, serverSentEvents } from "./streams.js";

const CSV = "text/csv";
const EVENTS = "text/event-stream";
const JSON_TYPE = "application/json";
const NDJSON = "application/x-ndjson";
const OVER = new Set(["succeeded", "failed", "cancelled"]);
const PAGE = { limit: 100 };
const REPEATABLE = { repeatable: true };

/**
 * A client of one service. Bodies and parameters are spelled as in HTTP, and answers come without
 * the envelope of their dialect. Whatever fails is an ApiError; every method takes a `signal`.
 */
export class Client {
  /** @type {Transport} */
  #http;

  /** @param {ClientOptions} options */
  constructor(options) {
    this.#http = new Transport(options);
  }

  // -- service ----------------------------------------------------------------------------------

  /** Whether it is up, and ready. Needs no token. @type {Get<"health">} */
  health = this.#get("/health");

  /** Its models, and what runs in the background. @type {Get<"getStatus">} */
  getStatus = this.#get("/status");

  /** Names and scopes, never a token itself. @type {Get<"listTokens">} */
  listTokens = this.#get("/tokens");

  /** What the token of this client may do. @type {Get<"getOwnToken">} */
  getOwnToken = this.#get("/tokens/self");

  // -- search -----------------------------------------------------------------------------------

  /** The passages that answer a query, best first. @type {Send<"search">} */
  search = this.#send("POST", "/search", REPEATABLE);

  // -- knowledge --------------------------------------------------------------------------------

  /** Stores a page in place of the former one of its `source_url`. @type {Send<"pushPage">} */
  pushPage = this.#send("POST", "/knowledge", REPEATABLE);

  /** A part of the pages, newest first, without their text. @type {Get<"listPages">} */
  listPages = this.#get("/knowledge");

  /** All of them. @type {Iterate<"listPages">} */
  iteratePages = this.#iterate("/knowledge", "items");

  /** A page with its text and chunks. @type {Get<"getPage", [documentId: string]>} */
  getPage = this.#get("/knowledge/{}");

  /** Deletes pages by URL, or by a filter. @type {Send<"deletePages">} */
  deletePages = this.#send("DELETE", "/knowledge", REPEATABLE);

  /**
   * Pushes many pages in the background; `getJob` tells how far it is. An async iterable is sent
   * while it is read (in browsers: when it is whole).
   *
   * @param {Iterable<Page> | AsyncIterable<Page>} pages
   * @param {Options<"pushBatch">} [options]
   * @returns {Promise<Schemas["Queued"]>}
   */
  async pushBatch(pages, options = {}) {
    return this.#http.json(this.#batch(await ndjson(pages), options));
  }

  /**
   * The same; what came of each page, in order, as it goes on.
   *
   * @param {Iterable<Page> | AsyncIterable<Page>} pages
   * @param {Options<"pushBatch">} [options]
   * @returns {AsyncGenerator<BatchResult, void, undefined>}
   */
  async *streamBatch(pages, options = {}) {
    const request = this.#batch(await ndjson(pages), { ...options, wait: true });
    yield* jsonLines(await this.#http.stream({ ...request, accept: NDJSON }));
  }

  /**
   * Pushes files in the background.
   *
   * @param {Iterable<File> | FormData} files
   * @param {Options<"uploadFiles">} [options]
   * @returns {Promise<Schemas["Queued"]>}
   */
  async uploadFiles(files, options = {}) {
    return this.#http.json(this.#upload(files, options));
  }

  /**
   * The same; what came of each file, as it goes on.
   *
   * @param {Iterable<File> | FormData} files
   * @param {Options<"uploadFiles">} [options]
   * @returns {AsyncGenerator<BatchResult, void, undefined>}
   */
  async *streamUpload(files, options = {}) {
    const request = this.#upload(files, { ...options, wait: true });
    yield* jsonLines(await this.#http.stream({ ...request, accept: NDJSON }));
  }

  /** A part of the batches, the newest first. @type {Get<"listJobs">} */
  listJobs = this.#get("/jobs");

  /** How far a batch is. @type {Get<"getJob", [jobId: string]>} */
  getJob = this.#get("/jobs/{}");

  /** What has been written stays. @type {Get<"cancelJob", [jobId: string]>} */
  cancelJob = this.#get("/jobs/{}", "DELETE");

  /**
   * The batch when it is over.
   *
   * @param {string} jobId
   * @param {Options<"getJob"> & {every?: number}} [options] milliseconds between two looks
   */
  async waitForJob(jobId, { every = 1000, ...options } = {}) {
    for (;;) {
      const job = await this.getJob(jobId, options);
      if (OVER.has(job.state)) return job;
      await sleep(every, options.signal);
    }
  }

  // -- chat -------------------------------------------------------------------------------------

  /** Asks, and answers when the answer is whole. @type {Send<"chat", [botId: string]>} */
  chat = this.#send("POST", "/chat/{}/message");

  /**
   * Asks, and yields the answer as it comes: `sources`, many `delta`, `done`. To leave the loop, or
   * to abort the signal, stops the model; what it said until then is kept.
   *
   * @param {string} botId
   * @param {Body<"chatStream">} body
   * @param {Options<"chatStream">} [options]
   * @returns {AsyncGenerator<ChatEvent, void, undefined>}
   */
  async *chatStream(botId, body, options = {}) {
    const request = this.#request("POST", "/chat/{}/stream", [botId], body, options);
    const stream = await this.#http.stream({ ...request, accept: EVENTS });
    for await (const { event, data } of serverSentEvents(stream)) {
      options.signal?.throwIfAborted(); // what has come already is not wanted either
      const value = JSON.parse(data);
      if (event === "error") throw new ApiError(200, value.code, value.message);
      yield /** @type {ChatEvent} */ ({ event, data: value });
      if (event === "done") return;
    }
    throw new ApiError(0, "stream_ended", "the stream ended before the answer did");
  }

  /** Asks in a session whose id is the caller's own. @type {Send<"askBot", [botId: string]>} */
  askBot = this.#send("POST", "/bot/{}");

  /** Rates an answer. @type {Send<"rateAnswer", [botId: string, messageId: string]>} */
  rateAnswer = this.#send("POST", "/chat/{}/messages/{}/feedback", REPEATABLE);

  /** @type {Get<"listConversations", [botId: string]>} */
  listConversations = this.#get("/chat/{}/conversations");

  /** @type {Iterate<"listConversations", [botId: string]>} */
  iterateConversations = this.#iterate("/chat/{}/conversations", "conversations");

  /** @type {Send<"createConversation", [botId: string]>} */
  createConversation = this.#send("POST", "/chat/{}/conversations");

  /** With its messages. @type {Get<"getConversation", [botId: string, conversationId: string]>} */
  getConversation = this.#get("/chat/{}/conversations/{}");

  /** @type {Send<"updateConversation", [botId: string, conversationId: string]>} */
  updateConversation = this.#send("PATCH", "/chat/{}/conversations/{}", REPEATABLE);

  /** For good. @type {Get<"deleteConversation", [botId: string, conversationId: string]>} */
  deleteConversation = this.#get("/chat/{}/conversations/{}", "DELETE");

  // -- messages and events ----------------------------------------------------------------------

  /** Sends a message; the reply to it comes as an event. @type {Send<"sendMessage">} */
  sendMessage = this.#send("POST", "/messages");

  /** @type {Send<"rateMessage", [messageId: string]>} */
  rateMessage = this.#send("POST", "/messages/{}/feedback", REPEATABLE);

  /** Events after a cursor, in order; `wait` holds until there is one. @type {Get<"listEvents">} */
  listEvents = this.#get("/events");

  /**
   * Events as they happen, from `after` or now on, for ever. A connection that breaks is made again
   * and goes on after the last event.
   *
   * @param {Pick<Options<"listEvents">, "after" | "types" | "signal" | "timeout">} [options]
   * @returns {AsyncGenerator<Event, void, undefined>}
   */
  async *streamEvents(options = {}) {
    let { after } = options;
    for (let failures = 0; ; ) {
      try {
        const request = this.#request("GET", "/events", [], undefined, { ...options, after });
        const stream = await this.#http.stream({ ...request, accept: EVENTS, ...REPEATABLE });
        failures = 0;
        for await (const { data, id } of serverSentEvents(stream)) {
          options.signal?.throwIfAborted();
          if (data) yield JSON.parse(data);
          after = id || after; // the stream begins with the id of its beginning
        }
      } catch (error) {
        if (options.signal?.aborted || !(error instanceof ApiError) || error.status > 0) throw error;
        failures += 1;
      }
      await sleep(backoff(failures), options.signal);
    }
  }

  // -- transcripts ------------------------------------------------------------------------------

  /** A part of the rows. @type {Get<"listTranscripts">} */
  listTranscripts = this.#get("/transcripts");

  /** All rows that match, as they are now. @type {Iterate<"listTranscripts">} */
  iterateTranscripts = this.#lines("/transcripts");

  /** All rows that match, as a file. @type {Export<"listTranscripts", "csv" | "ndjson">} */
  exportTranscripts = this.#export("/transcripts");

  /** Deletes conversations for good. @type {Send<"deleteTranscripts">} */
  deleteTranscripts = this.#send("DELETE", "/transcripts", REPEATABLE);

  /** Keeps a translation of a message. @type {Send<"addTranslation">} */
  addTranslation = this.#send("POST", "/transcripts/translations", REPEATABLE);

  /** Notes that a link of an answer was followed. @type {Send<"addClick">} */
  addClick = this.#send("POST", "/transcripts/clicks");

  /** @type {Get<"listLeads">} */
  listLeads = this.#get("/leads");

  /** @type {Iterate<"listLeads">} */
  iterateLeads = this.#iterate("/leads", "leads");

  // -- gaps -------------------------------------------------------------------------------------

  /** What could not be answered. @type {Get<"listGaps">} */
  listGaps = this.#get("/gaps");

  /** All gaps that match, as they are now. @type {Iterate<"listGaps">} */
  iterateGaps = this.#lines("/gaps");

  /** All gaps that match, as a file. @type {Export<"listGaps", "csv" | "ndjson">} */
  exportGaps = this.#export("/gaps");

  /** A gap with its questions and its history. @type {Get<"getGap", [gapId: string]>} */
  getGap = this.#get("/gaps/{}");

  /** Renames, dismisses, closes or opens a gap. @type {Send<"updateGap", [gapId: string]>} */
  updateGap = this.#send("PATCH", "/gaps/{}", REPEATABLE);

  /** What is asked most, and how much is answered. @type {Get<"getGapReport">} */
  getGapReport = this.#get("/gaps/report");

  /** How many questions of each gap came in each week. @type {Get<"getGapActivity">} */
  getGapActivity = this.#get("/gaps/activity");

  /** @type {Send<"mergeGaps", [gapId: string]>} */
  mergeGaps = this.#send("POST", "/gaps/{}/merge");

  /** Pushes a page that answers a gap. @type {Send<"answerGap", [gapId: string]>} */
  answerGap = this.#send("POST", "/gaps/{}/answer", REPEATABLE);

  /**
   * The questions whose answer is known, for an evaluation.
   *
   * @param {Options<"goldenQuestions">} [options]
   * @returns {AsyncGenerator<GoldenQuestion, void, undefined>}
   */
  goldenQuestions(options) {
    return this.#lines("/gaps/golden")(options);
  }

  // -- bots -------------------------------------------------------------------------------------

  /** @type {Get<"listBots">} */
  listBots = this.#get("/bots");

  /** @type {Send<"createBot">} */
  createBot = this.#send("POST", "/bots");

  // -- contacts ---------------------------------------------------------------------------------

  /** @type {Get<"listContacts">} */
  listContacts = this.#get("/contacts");

  /** @type {Iterate<"listContacts">} */
  iterateContacts = this.#iterate("/contacts", "contacts");

  /** All contacts that match, as a file. @type {Export<"listContacts", "csv">} */
  exportContacts = this.#export("/contacts");

  /** @type {Send<"createContact">} */
  createContact = this.#send("POST", "/contacts");

  /**
   * Contacts of a CSV file; a bad line does not stop the others.
   *
   * @param {string | Blob} csv
   * @param {Options<"importContacts">} [options]
   * @returns {Promise<Schemas["ImportReport"]>}
   */
  async importContacts(csv, options = {}) {
    const request = this.#request("POST", "/contacts/import", [], csv, options);
    return this.#http.json({ ...request, body: csv, type: CSV, ...REPEATABLE });
  }

  /** @type {Get<"getContact", [contactId: string]>} */
  getContact = this.#get("/contacts/{}");

  /** @type {Send<"updateContact", [contactId: string]>} */
  updateContact = this.#send("PATCH", "/contacts/{}", REPEATABLE);

  /** With its conversations, if `conversations` says so. @type {Get<"deleteContact", [contactId: string]>} */
  deleteContact = this.#get("/contacts/{}", "DELETE");

  /** @type {Get<"listContactConversations", [contactId: string]>} */
  listContactConversations = this.#get("/contacts/{}/conversations");

  /** @type {Iterate<"listContactConversations", [contactId: string]>} */
  iterateContactConversations = this.#iterate("/contacts/{}/conversations", "conversations");

  // -- webhooks ---------------------------------------------------------------------------------

  /** @type {Get<"listWebhooks">} */
  listWebhooks = this.#get("/webhooks");

  /** @type {Iterate<"listWebhooks">} */
  iterateWebhooks = this.#iterate("/webhooks", "webhooks");

  /** Its `secret` is in this answer alone. @type {Send<"createWebhook">} */
  createWebhook = this.#send("POST", "/webhooks");

  /** @type {Get<"getWebhook", [webhookId: string]>} */
  getWebhook = this.#get("/webhooks/{}");

  /** @type {Send<"updateWebhook", [webhookId: string]>} */
  updateWebhook = this.#send("PATCH", "/webhooks/{}", REPEATABLE);

  /** @type {Get<"deleteWebhook", [webhookId: string]>} */
  deleteWebhook = this.#get("/webhooks/{}", "DELETE");

  /** A new secret. @type {Send<"rotateWebhookSecret", [webhookId: string]>} */
  rotateWebhookSecret = this.#send("POST", "/webhooks/{}/rotate");

  /** Posts a `webhook.test`, and tells what came back. @type {Send<"testWebhook", [webhookId: string]>} */
  testWebhook = this.#send("POST", "/webhooks/{}/test");

  /** @type {Get<"listDeliveries", [webhookId: string]>} */
  listDeliveries = this.#get("/webhooks/{}/deliveries");

  /** @type {Iterate<"listDeliveries", [webhookId: string]>} */
  iterateDeliveries = this.#iterate("/webhooks/{}/deliveries", "deliveries");

  /** @type {Send<"redeliver", [webhookId: string, deliveryId: string]>} */
  redeliver = this.#send("POST", "/webhooks/{}/deliveries/{}/redeliver");

  /** @type {Send<"redeliverFailed", [webhookId: string]>} */
  redeliverFailed = this.#send("POST", "/webhooks/{}/redeliver");

  // -- how the methods are made -----------------------------------------------------------------

  /**
   * @param {string} path
   * @param {string} [method] GET, or DELETE: both may be repeated
   * @returns {(...args: any[]) => Promise<any>}
   */
  #get(path, method = "GET") {
    return async (...args) => {
      const [ids, options] = split(path, args);
      const request = this.#request(method, path, ids, undefined, options);
      return this.#http.json({ ...request, ...REPEATABLE });
    };
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {{repeatable?: boolean}} [more]
   * @returns {(...args: any[]) => Promise<any>}
   */
  #send(method, path, more) {
    return async (...args) => {
      const [ids, body, options] = split(path, args);
      return this.#http.json({ ...this.#request(method, path, ids, body ?? {}, options), ...more });
    };
  }

  /**
   * By offset, or by page, whichever the answer has.
   *
   * @param {string} path
   * @param {string} key of the items in the answer
   * @returns {(...args: any[]) => AsyncGenerator<any, void, undefined>}
   */
  #iterate(path, key) {
    const get = this.#get(path);
    return async function* (...args) {
      const [ids, options] = split(path, args);
      let [offset, page] = [0, 1];
      for (;;) {
        const place = key === "items" ? { offset } : { page };
        const size = key === "leads" ? { per_page: PAGE.limit } : PAGE;
        const answer = await get(...ids, { ...options, ...size, ...place });
        yield* answer[key];
        [offset, page] = [offset + answer[key].length, page + 1];
        const total = answer.total ?? answer.total_count ?? answer.pagination.total;
        if (answer[key].length === 0 || (page - 1) * PAGE.limit >= total) return;
      }
    };
  }

  /**
   * @param {string} path
   * @returns {(...args: any[]) => AsyncGenerator<any, void, undefined>}
   */
  #lines(path) {
    const bytes = this.#export(path);
    return async function* (options) {
      yield* jsonLines(await bytes({ ...options, format: "ndjson" }));
    };
  }

  /**
   * @param {string} path
   * @returns {(options?: any) => Promise<any>}
   */
  #export(path) {
    return async ({ format = "csv", ...options } = {}) => {
      const request = this.#request("GET", path, [], undefined, options);
      return this.#http.stream({ ...request, accept: format === "csv" ? CSV : NDJSON, ...REPEATABLE });
    };
  }

  /**
   * @param {Blob | ReadableStream<Uint8Array>} body
   * @param {Options<"pushBatch">} options
   */
  #batch(body, options) {
    const request = this.#request("POST", "/knowledge/batch", [], undefined, options);
    return { ...request, body, type: NDJSON, ...REPEATABLE };
  }

  /**
   * @param {Iterable<File> | FormData} files
   * @param {Options<"uploadFiles">} options
   */
  #upload(files, options) {
    let form = files;
    if (!(form instanceof FormData)) {
      form = new FormData();
      for (const file of /** @type {Iterable<File>} */ (files)) form.append("files", file);
    }
    const request = this.#request("POST", "/knowledge/upload", [], undefined, options);
    return { ...request, body: form, ...REPEATABLE };
  }

  /**
   * @param {string} method
   * @param {string} path with a `{}` for each id
   * @param {string[]} ids
   * @param {unknown} body of JSON
   * @param {any} [options] those of the query, and of the call
   */
  #request(method, path, ids, body, options = {}) {
    const { signal, timeout, retries, ...query } = options;
    const rest = [...ids];
    return {
      method,
      path: path.replace(/\{\}/g, () => encodeURIComponent(String(rest.shift()))),
      query,
      ...(body !== undefined && { body: JSON.stringify(body), type: JSON_TYPE }),
      options: { signal, timeout, retries },
    };
  }
}

/**
 * The ids of a path, and the arguments after them. An id that is missing is the caller's mistake:
 * it would name another route.
 *
 * @param {string} path
 * @param {any[]} args
 * @returns {[string[], any, any]}
 */
function split(path, args) {
  const count = path.split("{}").length - 1;
  const ids = args.slice(0, count);
  for (const id of ids) {
    if (typeof id !== "string" || id === "") throw new TypeError(`${path}: an id is missing`);
  }
  if (ids.length < count) throw new TypeError(`${path}: an id is missing`);
  return [ids, args[count], args[count + 1]];
}
