"""One event of each type, as the API's document and WEBHOOKS.md show it."""

from msgspec.structs import replace

from rag_service.events.happenings import (
    ChunkChanges,
    ContactCreated,
    ContactUpdated,
    ConversationCreated,
    Event,
    EventClosing,
    EventContact,
    EventGap,
    EventMessage,
    GapClosed,
    GapOpened,
    GapReopened,
    Happening,
    JobFinished,
    KnowledgeDeleted,
    KnowledgeUpserted,
    MessageCreated,
)

_MOMENT = "2026-05-12T09:30:00.000Z"
_ANA = EventContact(
    contact_id="con_019e1b7a40c07d1e8a3f5b6c7d8e9f01",
    email="ana@example.com",
    name="Ana",
    phone="+14155550123",
    user_id="usr_82hd92",
    metadata={"plan": "pro"},
    created_at=_MOMENT,
    updated_at=_MOMENT,
)
_GAP = EventGap(
    gap_id="gap_019e1b7a40c07d1e8a3f5b6c7d8e9f07",
    state="open",
    kind="none",
    questions=3,
    people=2,
    confidence=0.21,
)
_BY = EventClosing(
    reason="knowledge",
    source_url="https://example.com/parking",
    document_id="doc_019e1b7a40c07d1e8a3f5b6c7d8e9f08",
    chunk_id="chk_0000000000000003",
    confidence_before=0.21,
    confidence_after=0.94,
)


def _example(number: int, happening: Happening, bot_id: str = "default") -> Event:
    event = happening.at(_MOMENT, bot_id)
    return replace(event, id=f"evt_019e1b7a40c07d1e8a3f5b6c7d8e9f{number:02}")


EXAMPLES = [
    _example(
        10,
        ConversationCreated(
            conversation_id="conv_019e1b7a40c07d1e8a3f5b6c7d8e9f02",
            title="Opening hours",
            metadata={"userId": "usr_82hd92"},
        ),
    ),
    _example(
        11,
        MessageCreated(
            conversation_id="conv_019e1b7a40c07d1e8a3f5b6c7d8e9f02",
            message=EventMessage(
                id="msg_019e1b7a40c07d1e8a3f5b6c7d8e9f03",
                role="assistant",
                sender_id="usr_82hd92",
                sender_type="assistant",
                text="We are open from 9 to 17. [1]",
                metadata={"confidence": 0.96},
                reply_to_message_id="msg_019e1b7a40c07d1e8a3f5b6c7d8e9f04",
                has_rag_context=True,
                created_at=_MOMENT,
            ),
        ),
    ),
    _example(
        12,
        KnowledgeUpserted(
            document_id="doc_019e1b7a40c07d1e8a3f5b6c7d8e9f05",
            source_url="https://example.com/hours",
            content_type="manual",
            chunks=ChunkChanges(total=3, added=1, removed=1),
        ),
    ),
    _example(
        13,
        KnowledgeDeleted(
            document_id="doc_019e1b7a40c07d1e8a3f5b6c7d8e9f05",
            source_url="https://example.com/hours",
            entries_removed=3,
        ),
    ),
    _example(14, ContactCreated(contact=_ANA), ""),
    _example(15, ContactUpdated(contact=_ANA), ""),
    _example(17, GapOpened(gap=_GAP)),
    _example(18, GapClosed(gap=replace(_GAP, state="closed", confidence=0.94), closed_by=_BY)),
    _example(19, GapReopened(gap=_GAP)),
    _example(
        16,
        JobFinished(
            job_id="job_019e1b7a40c07d1e8a3f5b6c7d8e9f06",
            state="succeeded",
            done=100,
            embedded=3,
            unchanged=96,
            failed=1,
        ),
        "",
    ),
]
