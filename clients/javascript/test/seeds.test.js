// The examples of the four documents that the service began with, by this client.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { all, client } from "./service.js";

const service = client();
const bot = "javascript-seeds";

before(async () => {
  const content = "What are your business hours? Our business hours are Monday-Friday, 9 AM to 5 PM EST.";
  await service.pushPage({ source_url: "https://example.com/hours", content, bot_id: bot });
});

test("chat: a message, its conversation, the list of them and a stream", async () => {
  await service.createConversation(bot, { conversationId: "conv_123456" });
  const reply = await service.chat(bot, {
    message: "What are your business hours?",
    conversationId: "conv_123456",
    metadata: { userId: "user_789", source: "mobile_app" },
  });
  assert.equal(reply.conversationId, "conv_123456");
  assert.match(reply.response, /Monday-Friday, 9 AM to 5 PM EST/);
  const history = await service.getConversation(bot, "conv_123456");
  assert.deepEqual(history.messages.map((message) => message.role), ["user", "assistant"]);
  const list = await service.listConversations(bot, { page: 1, limit: 20, since: "2024-01-15T10:00:00Z" });
  assert.deepEqual([list.conversations[0]?.id, list.pagination.total], ["conv_123456", 1]);
  const events = await all(service.chatStream(bot, { message: "Tell me a story" }));
  assert.equal(events.at(-1)?.event, "done");
});

test("overview: a bot is asked in a session", async () => {
  const data = await service.askBot(bot, {
    message: "Hello, what can you help me with?",
    sessionId: "optional-session-id",
  });
  assert.equal(data.conversationId, "optional-session-id");
  assert.ok(data.response);
});

test("messages: a message is sent into a conversation, and into a new one", async () => {
  await service.createConversation("default", { conversationId: "con_9s2kd81" });
  const result = await service.sendMessage({
    conversation_id: "con_9s2kd81",
    sender_id: "usr_82hd92",
    sender_type: "user",
    text: "Hello from fetch!",
    auto_reply: true,
  });
  assert.equal(result.message.text, "Hello from fetch!");
  assert.equal(result.auto_reply_enqueued, true);
  const text = "Hello from axios + TypeScript!";
  const began = await service.sendMessage({ sender_id: "usr_82hd92", sender_type: "user", text });
  assert.match(began.conversation_id, /^conv_/);
  assert.match(began.message.id, /^msg_/);
});

test("knowledge: health, a push, the questions that found nothing, and a delete", async () => {
  assert.equal((await service.health()).namespace, "mxchat/v1");
  const page = {
    content: "Q: How do I enable streaming?\nA: MxChat → Settings → Streaming, pick a streaming-capable model.",
    source_url: "https://yoursite.com/faq/#faq-enable-streaming",
    content_type: "faq",
    bot_id: bot,
  };
  assert.equal((await service.pushPage(page)).source_url, page.source_url);
  for (const sessionId of ["mxchat_chat_abc123", "mxchat_chat_def456"]) {
    await service.askBot(bot, { message: "Who mends xylophones?", sessionId });
  }
  const rows = await service.listTranscripts({
    role: "user",
    has_rag_context: "no",
    since: "2026-05-12T00:00:00Z",
    limit: 200,
    order: "asc",
    bot_id: bot,
  });
  assert.ok(rows.items.some((row) => row.message === "Who mends xylophones?"));
  const session_ids = ["mxchat_chat_abc123", "mxchat_chat_def456"];
  // erasure is pending while a reader holds the log
  const { erasure_pending: _, ...deleted } = await service.deleteTranscripts({ session_ids, cascade: true });
  assert.deepEqual(deleted, {
    session_ids_requested: 2,
    transcripts_deleted: 4,
    translations_deleted: 0,
    url_clicks_deleted: 0,
    cascade: true,
  });
});
