// What is sent again, and what a stream is cut into: against answers that are made here.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { verifyWebhook, WebhookError } from "../src/index.js";
import { jsonLines, serverSentEvents } from "../src/streams.js";
import { all, client, scripted } from "./service.js";

const OVER = { status: 429, headers: { "Retry-After": "0" } };

/** @param {number} status @param {Record<string, string>} [headers] */
const refusal = (status, headers) => new Response("{}", { status, headers });
const answer = () => Response.json({ bots: [] });

test("a call that may be repeated is tried again after 429, 503 and a broken connection", async () => {
  for (const first of [refusal(429), refusal(503), refusal(502), new TypeError("reset")]) {
    const { fetch, requests } = scripted(first, answer());
    assert.deepEqual(await client({ fetch }).listBots(), { bots: [] });
    assert.equal(requests.length, 2);
  }
});

test("a question is asked again only when it was refused for its rate", async () => {
  const over = scripted(new Response("", OVER), Response.json({ success: true, data: { response: "9" } }));
  assert.equal((await client(over).chat("default", { message: "?" })).response, "9");
  for (const first of [refusal(503), new TypeError("reset")]) {
    const { fetch, requests } = scripted(first);
    await assert.rejects(client({ fetch }).chat("default", { message: "?" }));
    assert.equal(requests.length, 1);
  }
});

test("it is not tried for ever, nor after a longer wait than half a minute, nor when told not to", async () => {
  const often = scripted(refusal(503), refusal(503), refusal(503));
  await assert.rejects(client(often).listBots(), { status: 503 });
  const later = scripted(refusal(429, { "Retry-After": "3600" }));
  await assert.rejects(client(later).listBots(), { status: 429, retryAfter: 3600 });
  const never = scripted(refusal(503));
  await assert.rejects(client(never).listBots({ retries: 0 }), { status: 503 });
  const wrong = scripted(refusal(400));
  await assert.rejects(client(wrong).listBots(), { status: 400, code: "http_400" });
});

test("the wait for another try ends with the signal", async () => {
  const { fetch } = scripted(refusal(503, { "Retry-After": "20" }));
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 20);
  await assert.rejects(client({ fetch }).listBots({ signal: stop.signal }), { name: "AbortError" });
});

test("an answer that does not begin in time is an error", async () => {
  /** @type {typeof fetch} */
  const hanging = (_url, init) =>
    new Promise((_resolve, reject) => {
      init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
    });
  await assert.rejects(client({ fetch: hanging }).listBots({ timeout: 20 }), { name: "TimeoutError" });
});

test("a proxy's page is an error with its status", async () => {
  const page = new Response("<html>", { status: 502, statusText: "Bad Gateway" });
  await assert.rejects(client({ ...scripted(page), retries: 0 }).listBots(), {
    code: "http_502",
    message: "502 Bad Gateway",
  });
});

test("parameters are spelled as HTTP wants them", async () => {
  const { fetch, requests } = scripted(Response.json({ events: [], next: "cur_1" }), answer());
  await client({ fetch }).listEvents({ types: ["a.b", "c.d"], after: undefined });
  await client({ fetch }).listPages({ filter: { year: { gte: 2024 } } });
  const [events, pages] = requests.map((request) => new URL(request.url).searchParams);
  assert.deepEqual([...(events ?? [])], [["types", "a.b,c.d"]]);
  assert.equal(pages?.get("filter"), '{"year":{"gte":2024}}');
});

/** @param {string} text @param {number} size */
function inPieces(text, size) {
  const bytes = new TextEncoder().encode(text);
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
      controller.close();
    },
  });
}

test("a stream is read alike however it is cut into pieces", async () => {
  const events =
    ": open\r\nid: 7\r\n\r\nevent: delta\ndata: {\"text\":\"grün\"}\n\ndata:one\rdata: two\r\rid: 8\ndata\n\ndata: lost";
  const lines = '{"a":"ü"}\r\n\n{"a":"\\n"}';
  for (const size of [1, 2, 3, 7, 1000]) {
    assert.deepEqual(await all(serverSentEvents(inPieces(events, size))), [
      { event: "message", data: "", id: "7" },
      { event: "delta", data: '{"text":"grün"}', id: "" },
      { event: "message", data: "one\ntwo", id: "" },
      { event: "message", data: "", id: "8" },
    ]);
    assert.deepEqual(await all(jsonLines(inPieces(lines, size))), [{ a: "ü" }, { a: "\n" }]);
  }
});

test("a stream that ends before the answer does, or tells an error, is an error", async () => {
  const cut = scripted(new Response('event: delta\ndata: {"text":"We"}\n\n'));
  await assert.rejects(all(client(cut).chatStream("default", { message: "?" })), { code: "stream_ended" });
  const failed = scripted(new Response('event: error\ndata: {"code":"MODEL_FAILED","message":"no"}\n\n'));
  await assert.rejects(all(client(failed).chatStream("default", { message: "?" })), {
    code: "MODEL_FAILED",
    message: "no",
  });
});

test("live events go on after the last one when the connection breaks", async () => {
  const first = 'id: cur_1\n\n';
  const second = 'id: evt_1\ndata: {"id":"evt_1"}\n\n';
  const { fetch, requests } = scripted(
    new Response(first),
    new TypeError("reset"),
    new Response(second),
    refusal(401),
  );
  const seen = client({ fetch, retries: 0 }).streamEvents();
  assert.deepEqual((await seen.next()).value, { id: "evt_1" });
  await assert.rejects(seen.next(), { status: 401 });
  const places = requests.map((request) => new URL(request.url).searchParams.get("after"));
  assert.deepEqual(places, [null, "cur_1", "cur_1", "evt_1"]);
});

test("a webhook's request is verified", async () => {
  const secret = `whsec_${Buffer.from("a secret of some length").toString("base64")}`;
  const now = 1_780_000_000_000;
  const body = '{"type":"message.created","data":{}}';
  /** @param {string} text */
  const sign = (text) =>
    createHmac("sha256", "a secret of some length").update(`evt_1.1780000000.${text}`).digest("base64");
  const headers = {
    "Webhook-Id": "evt_1",
    "webhook-timestamp": "1780000000",
    "webhook-signature": `v2,x v1,${sign("other")} v1,${sign(body)}`,
  };
  assert.equal((await verifyWebhook(body, headers, secret, { now })).type, "message.created");
  assert.ok(await verifyWebhook(new TextEncoder().encode(body), new Headers(headers), secret, { now }));
  const late = verifyWebhook(body, headers, secret, { now: now + 301_000 });
  await assert.rejects(late, WebhookError);
  await assert.rejects(verifyWebhook(`${body} `, headers, secret, { now }), WebhookError);
  await assert.rejects(verifyWebhook(body, {}, secret, { now }), WebhookError);
  const strange = { ...headers, "webhook-signature": "v1,***" };
  await assert.rejects(verifyWebhook(body, strange, secret, { now }), WebhookError);
  await assert.rejects(verifyWebhook(body, headers, "no base64 !", { now }), WebhookError);
});
