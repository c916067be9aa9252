// The methods, against a service.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { ApiError } from "../src/index.js";
import { all, client, SERVICE_URL } from "./service.js";

const service = client();
const bot_id = "javascript";
const page = {
  source_url: "https://example.com/hours",
  title: "Hours",
  content: "Our business hours are Monday to Friday, 9 AM to 5 PM.",
  metadata: { year: 2026 },
  bot_id,
};

before(async () => {
  await service.pushPage(page);
});

test("a page is pushed, listed, read, found and deleted", async () => {
  const source_url = "https://example.com/bicycles";
  const pushed = await service.pushPage({ source_url, content: "Bicycles stand behind the house.", bot_id });
  assert.equal(pushed.unchanged, false);
  const again = await service.pushPage(
    { source_url, content: "Bicycles stand behind the house.", bot_id },
    { dry_run: true },
  );
  assert.equal(again.unchanged, true);
  const listed = await service.listPages({ bot_id, source_url });
  assert.deepEqual(listed.items.map((item) => item.document_id), [pushed.document_id]);
  assert.match((await service.getPage(pushed.document_id)).text, /behind the house/);
  const found = await service.search({ query: "Where do bicycles stand?", bot_id, k: 1 });
  assert.equal(found.results[0]?.source_url, source_url);
  const deleted = await service.deletePages({ source_url: [source_url], bot_id });
  assert.equal(deleted.urls_deleted, 1);
});

test("a question is answered, whole and as a stream", async () => {
  const message = "What are your business hours?";
  const reply = await service.chat(bot_id, { message });
  assert.equal(reply.hasRagContext, true);
  assert.match(reply.response, /Monday/);
  const events = await all(service.chatStream(bot_id, { message, conversationId: reply.conversationId }));
  assert.equal(events[0]?.event, "sources");
  const said = events.map((one) => (one.event === "delta" ? one.data.text : "")).join("");
  assert.match(said, /Monday/);
  const done = events.at(-1);
  assert.ok(done?.event === "done");
  assert.equal(done.data.conversationId, reply.conversationId);
  const history = await service.getConversation(bot_id, reply.conversationId);
  assert.equal(history.messages.length, 4);
  const rated = await service.rateAnswer(bot_id, done.data.messageId, { rating: "up" });
  assert.equal(rated.feedback?.rating, "up");
});

test("a stream that is left early ends, and what was said is kept", async () => {
  let conversationId = "";
  for await (const { event, data } of service.chatStream(bot_id, { message: "When are you open?" })) {
    if (event === "sources") ({ conversationId } = data);
    if (event === "delta") break;
  }
  const rows = await all(service.iterateTranscripts({ session_id: conversationId }));
  assert.ok(rows.some((row) => row.role === "user"));
});

test("an aborted signal ends a call with its reason", async () => {
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  await assert.rejects(service.listBots({ signal }), reason);
  await assert.rejects(all(service.streamEvents({ signal })), reason);
  const late = new AbortController();
  await assert.rejects(async () => {
    for await (const _ of service.chatStream(bot_id, { message: "Hello" }, { signal: late.signal })) {
      late.abort(reason);
    }
  }, reason);
});

test("a batch tells what came of each line, and a job when it is over", async () => {
  const pages = [
    { source_url: "https://example.com/b/1", content: "One.", bot_id },
    /** @type {any} */ ({ content: "no URL" }),
  ];
  const results = await all(service.streamBatch(pages));
  assert.deepEqual(results.map((one) => [one.line, one.success]), [[1, true], [2, false]]);
  async function* made() {
    for (const n of [1, 2, 3]) yield { source_url: `https://example.com/c/${n}`, content: `${n}`, bot_id };
  }
  const { job_id } = await service.pushBatch(made());
  const job = await service.waitForJob(job_id, { every: 20 });
  assert.equal(job.state, "succeeded");
  assert.equal(job.counts.embedded, 3);
  assert.equal((await service.cancelJob(job_id)).state, "succeeded");
});

test("files are uploaded, as files and as a form", async () => {
  const file = new File(["# Ünïcode\n\nA page of its own."], "ünï.md");
  const [result] = await all(service.streamUpload([file], { bot_id, content_type: "manual" }));
  assert.ok(result?.success);
  assert.equal(result.content_type, "manual");
  const form = new FormData();
  form.append("file", new File(["<p>Another.</p>"], "another.html"));
  const { job_id } = await service.uploadFiles(form, { bot_id });
  assert.equal((await service.waitForJob(job_id, { every: 20 })).counts.failed, 0);
});

test("all items of a list come, over its pages", async () => {
  const made = Array.from({ length: 130 }, (_, n) => ({ userId: `js-${n}` }));
  await service.importContacts(`user_id\n${made.map((one) => one.userId).join("\n")}\n`);
  const contacts = await all(service.iterateContacts({ search: "js-" }));
  assert.deepEqual(new Set(contacts.map((one) => one.userId)), new Set(made.map((one) => one.userId)));
  assert.equal(contacts.length, 130);
  assert.equal((await all(service.iterateLeads({ search: "js-" }))).length, 130);
  const pages = Array.from({ length: 101 }, (_, n) => ({
    source_url: `https://example.com/many/${n}`,
    content: `Number ${n}.`,
    bot_id: "javascript-many",
  }));
  await all(service.streamBatch(pages));
  const urls = (await all(service.iteratePages({ bot_id: "javascript-many" }))).map((one) => one.source_url);
  assert.equal(new Set(urls).size, 101);
});

test("exports are streams of bytes", async () => {
  await service.chat(bot_id, { message: "Who exports this?" });
  const csv = await new Response(await service.exportTranscripts({ bot_id })).text();
  assert.match(csv, /^id,session_id,.*\r\n/);
  const lines = await new Response(await service.exportTranscripts({ bot_id, format: "ndjson" })).text();
  const rows = lines.trim().split("\n").map((line) => JSON.parse(line));
  assert.ok(rows.some((row) => row.message === "Who exports this?"));
  assert.match(await new Response(await service.exportContacts()).text(), /email/);
});

test("events come live, and go on after a cursor", async () => {
  const { next } = await service.listEvents({ limit: 1000 });
  const stop = new AbortController();
  const seen = service.streamEvents({ after: next, types: ["message.created"], signal: stop.signal });
  await service.sendMessage({ sender_id: "js", sender_type: "agent", text: "Hello" });
  const { value } = await seen.next();
  assert.equal(value?.type, "message.created");
  assert.equal((await service.listEvents({ after: next, limit: 1, wait: 1 })).events.length, 1);
  stop.abort();
  await assert.rejects(seen.next(), { name: "AbortError" });
});

test("what is refused is an error with status, code and parameters", async () => {
  const refusal = service.listTranscripts({ limit: 1001 });
  await assert.rejects(refusal, (error) => {
    assert.ok(error instanceof ApiError);
    assert.deepEqual([error.status, error.code], [400, "rest_invalid_param"]);
    assert.deepEqual(Object.keys(error.params), ["limit"]);
    return true;
  });
  await assert.rejects(service.chat("nobody", { message: "Hello" }), { status: 404, code: "BOT_NOT_FOUND" });
  await assert.rejects(all(service.chatStream("nobody", { message: "Hello" })), { status: 404 });
  await assert.rejects(client({ token: "wrong" }).sendMessage({ sender_id: "a", sender_type: "user", text: "b" }), {
    status: 401,
    code: "http_401",
    message: "Invalid or expired token.",
  });
  await assert.rejects(service.getPage(""), TypeError);
  const away = client({ baseUrl: "http://127.0.0.1:9", retries: 0 });
  await assert.rejects(away.health(), { status: 0, code: "network" });
});

test("ids keep what is special in them, and a base URL its prefix", async () => {
  const conversationId = "a/b ?ü";
  await service.askBot(bot_id, { message: "Hello", sessionId: conversationId });
  assert.equal((await service.getConversation(bot_id, conversationId)).conversationId, conversationId);
  assert.equal((await service.deleteConversation(bot_id, conversationId)).deleted, true);
  assert.equal((await client({ baseUrl: `${SERVICE_URL}/` }).health()).ok, true);
});

test("gaps are listed, answered and closed, and golden questions come of them", async () => {
  await service.chat(bot_id, { message: "Who mends xylophones in winter?" });
  let gap;
  for (let tries = 0; gap === undefined && tries < 100; tries += 1) {
    gap = (await service.listGaps({ bot_id, q: "xylophones" })).items[0];
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.ok(gap);
  await service.updateGap(gap.gap_id, { note: "in winter only" });
  const answered = await service.answerGap(gap.gap_id, { answer: "Ann mends xylophones in winter." });
  assert.equal(answered.push.success, true);
  assert.equal((await service.getGap(gap.gap_id)).note, "in winter only");
  assert.ok((await all(service.iterateGaps({ bot_id, state: "all" }))).length > 0);
  assert.ok(Array.isArray(await all(service.goldenQuestions({ bot_id }))));
});

test("webhooks and contacts are made, changed and deleted", async () => {
  const hook = await service.createWebhook({ url: "https://93.184.216.34/hook", events: ["message.*"] });
  assert.match(hook.secret, /^whsec_/);
  assert.equal((await service.updateWebhook(hook.id, { enabled: false })).enabled, false);
  assert.notEqual((await service.rotateWebhookSecret(hook.id, {})).secret, hook.secret);
  assert.deepEqual(await all(service.iterateDeliveries(hook.id)), []);
  assert.equal((await service.deleteWebhook(hook.id)).deleted, true);
  const contact = await service.createContact({ email: "ann@example.com" });
  assert.equal((await service.updateContact(contact.id, { name: "Ann" })).name, "Ann");
  assert.deepEqual(await all(service.iterateContactConversations(contact.id)), []);
  assert.equal((await service.deleteContact(contact.id)).deleted, true);
});
