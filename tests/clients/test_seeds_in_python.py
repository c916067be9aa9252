"""The examples of the four documents that the service began with, by the client for Python."""

import pytest
from rag_service_client import types

BOT = "python-seeds"


@pytest.fixture
def client(connect, server):
    client = connect(server.url, server.token)
    content = (
        "What are your business hours? Our business hours are Monday-Friday, 9 AM to 5 PM EST."
    )
    client.push_page(source_url="https://example.com/hours", content=content, bot_id=BOT)
    yield client
    sessions = {row.session_id for row in client.iterate_transcripts(bot_id=BOT)}
    client.delete_transcripts(session_ids=[*sessions, "con_9s2kd81"])


def test_chat_a_message_its_conversation_the_list_of_them_and_a_stream(client):
    client.create_conversation(BOT, conversation_id="conv_123456")
    reply = client.chat(
        BOT,
        message="What are your business hours?",
        conversation_id="conv_123456",
        metadata={"userId": "user_789", "source": "mobile_app"},
    )
    assert reply.conversation_id == "conv_123456"
    assert "Monday-Friday, 9 AM to 5 PM EST" in reply.response
    history = client.get_conversation(BOT, "conv_123456")
    assert [message.role for message in history.messages] == ["user", "assistant"]
    listed = client.list_conversations(BOT, page=1, limit=20, since="2024-01-15T10:00:00Z")
    assert (listed.conversations[0].id, listed.pagination.total) == ("conv_123456", 1)
    assert isinstance(list(client.chat_stream(BOT, message="Tell me a story"))[-1], types.Done)


def test_overview_a_bot_is_asked_in_a_session(client):
    data = client.ask_bot(
        BOT, message="Hello, what can you help me with?", session_id="optional-session-id"
    )
    assert data.conversation_id == "optional-session-id"
    assert data.response


def test_messages_one_is_sent_into_a_conversation_and_one_into_a_new_one(client):
    client.create_conversation(BOT, conversation_id="con_9s2kd81")
    sent = client.send_message(
        conversation_id="con_9s2kd81",
        sender_id="usr_82hd92",
        sender_type="user",
        text="Can you summarize my last 5 calls?",
        metadata={"channel": "web", "locale": "en-US"},
        auto_reply=False,
    )
    assert sent.message.metadata == {"channel": "web", "locale": "en-US"}
    assert not sent.auto_reply_enqueued
    began = client.send_message(sender_id="usr_82hd92", sender_type="agent", text="Hello!")
    assert began.conversation_id.startswith("conv_")


def test_knowledge_health_a_push_the_questions_that_found_nothing_and_a_delete(client):
    assert client.health().namespace == "mxchat/v1"
    pushed = client.push_page(
        content="Q: How do I enable streaming?\n"
        "A: MxChat → Settings → Streaming, pick a streaming-capable model.",
        source_url="https://yoursite.com/faq/#faq-enable-streaming",
        content_type="faq",
        bot_id=BOT,
    )
    assert pushed.content_type == "faq"
    sessions = ["mxchat_chat_abc123", "mxchat_chat_def456"]
    for session in sessions:
        client.ask_bot(BOT, message="Who mends xylophones?", session_id=session)
    rows = client.list_transcripts(
        role="user",
        has_rag_context="no",
        since="2026-05-12T00:00:00Z",
        limit=200,
        order="asc",
        bot_id=BOT,
    )
    assert [row.message for row in rows.items] == ["Who mends xylophones?"] * 2
    deleted = client.delete_transcripts(session_ids=sessions, cascade=True)
    assert (deleted.session_ids_requested, deleted.transcripts_deleted) == (2, 4)
