"""What a front end asks for itself: a title, tags, follow-up questions, search queries, an emoji.

Such a request is known by two things together. Its wording orders something that is made of a
conversation, and its shape is a machine's: a quoted transcript, an example in JSON, a length in
words, a ban on everything else. A person who asks about titles or tags has the words alone.
"""

import re
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from rag_service.conversations.messages import Message
from rag_service.conversations.task_words import (
    BANS,
    CONVERSATIONS,
    HEADINGS,
    KINDS,
    LOCAL_ANSWERS,
    LOCAL_BANS,
    LOCAL_CONVERSATIONS,
    LOCAL_KINDS,
    ORDERS,
    PERSONAS,
    TaskKind,
)

_LONGEST_ORDER = 6000
"""Characters of an order without what it quotes. The longest of Open WebUI's has some 2,000."""
_MAIN_PART = 400
"""Characters in which a system prompt says what it is for."""
_OF_CHATS = ("chat_history", "conversation_history", "conversation", "chat", "history", "dialogue")
_TAGS = (*_OF_CHATS, "messages", "message", "transcript", "text", "context")
_USER = (
    "user|human|you|me|customer|用户|ユーザー|사용자|пользователь|nutzer|benutzer|utilisateur"
    "|usuario|utente|usuário|kullanıcı|użytkownik"
)
_OTHER = (
    "assistant|ai|bot|model|chatbot|助手|助理|アシスタント|어시스턴트|ассистент|assistent"
    "|asistente|assistente|asistan|asystent"
)
_LINE = re.compile(
    rf"^[ \t>*\-]*(?:(?P<user>{_USER})|(?P<other>{_OTHER}))(?:\*\*)?\s?[:：](?:\*\*)?(?P<text>.*)$",
    re.I | re.M,
)
_END = re.compile(r"\n[^\n:：]{2,40}[:：]\s*$")
_ROLE = re.compile(r'"role"\s*:\s*"(user|assistant)"\s*,\s*"content"\s*:\s*"((?:[^"\\]|\\.)*)"')
_SAMPLE = re.compile(r'\{\s*"(\w+)"\s*:\s*(["\[])')
_LABELLED = re.compile(
    r"^[ \t#*]*(?:[\w'’]+ ){0,3}(?:message|query|question|input|request|prompt)\**"
    r"\s*[:：]\s*(\S.*)$",
    re.I | re.M,
)
_ASKS = re.compile(
    r"^\W*(?:how|what|which|why|who|where|when|can|could|do|does|did|is|are|should|would|may)\b",
    re.I,
)
_ANSWERS = re.compile(
    r"(?<!not )(?<!not try to )\b(?:answer|help|assist|support)\b[^.\n]{0,40}"
    r"\b(?:users?|customers?|visitors?|questions)\b",
    re.I,
)

Form = Literal["text", "list"]


class Task(Struct, frozen=True, kw_only=True):
    """`key` is of the JSON object that is wanted, and None where plain text is."""

    kind: TaskKind
    said: list[Message]
    """The conversation that it is about, as far as it is told."""
    key: str | None
    form: Form


class _Request(Struct, frozen=True, kw_only=True):
    """A message without what it quotes of a conversation."""

    order: str
    quoted: list[Message]
    is_tagged: bool


def recognise_task(messages: Sequence[Message]) -> Task | None:
    """None for a question of a person."""
    last = next((at for at in reversed(range(len(messages))) if messages[at].role == "user"), None)
    if last is None:
        return None
    asked = _taken_apart(messages[last].text)
    before = [one for one in messages[:last] if one.role != "system"]
    kind = _kind(asked)
    if kind is not None:
        said = asked.quoted or before
        labelled = [Message("user", text) for text in _LABELLED.findall(messages[last].text)[-1:]]
        if kind == "queries" or not said:
            said = [*said, *labelled]
        return _task(kind, asked, said)
    system = "\n\n".join(one.text for one in messages if one.role == "system")
    if not system:
        return None
    told = _taken_apart(system)
    kind = _kind_of_system(told, asked)
    if kind is None:
        return None
    said = asked.quoted or told.quoted or [*before, messages[last]]
    return _task(kind, told, said)


def _task(kind: TaskKind, request: _Request, said: list[Message]) -> Task:
    samples = _SAMPLE.findall(request.order)
    wants_json = bool(samples) or re.search(r"\bJSON\b", request.order) is not None
    default = HEADINGS[kind]
    key, opening = samples[0] if samples else (default, "[" if default.endswith("s") else '"')
    return Task(
        kind=kind,
        said=said,
        key=key if wants_json else None,
        form="list" if opening == "[" else "text",
    )


def _kind_of_system(told: _Request, asked: _Request) -> TaskKind | None:
    """A system prompt is an order where that is all it is for: what answers people is none."""
    if _ANSWERS.search(told.order):
        return None
    main = _Request(order=told.order[:_MAIN_PART], quoted=[], is_tagged=False)
    if (kind := _ordered(main.order)) and _is_machine_made(told):
        return kind
    is_quotation = _is_dialogue(asked.quoted) and not asked.order.strip()
    if is_quotation or (_is_localized_order(main.order) and not LOCAL_ANSWERS.search(told.order)):
        return _localized(main.order)
    return None


def _kind(request: _Request) -> TaskKind | None:
    order = request.order
    if len(order) > _LONGEST_ORDER or _ASKS.match(order):
        return None
    if kind := _ordered(order):
        return kind if _is_machine_made(request) or request.is_tagged else None
    is_shaped = bool(_SAMPLE.search(order)) or order.count("\n#") + order.startswith("#") > 1
    if request.is_tagged and is_shaped:
        return _localized(order) or _by_sample(order) or "title"
    if _is_dialogue(request.quoted) and is_shaped:
        return _localized(order) or _by_sample(order)
    return _localized(order) if _is_localized_order(order) else None


def _ordered(order: str) -> TaskKind | None:
    """What an order in English wants of a conversation."""
    for kind, pattern in KINDS.items():
        for found in (*ORDERS[kind].finditer(order), *PERSONAS[kind].finditer(order)):
            around = order[max(0, found.start() - 300) : found.end() + 600]
            if pattern.search(found.group()) and CONVERSATIONS.search(around):
                return kind
    return None


def _is_machine_made(request: _Request) -> bool:
    return BANS.search(request.order) is not None or _SAMPLE.search(request.order) is not None


def _is_localized_order(order: str) -> bool:
    """In another language: the thing, the conversation and a ban, and nobody asks."""
    return (
        not re.search(r"[?？؟]", order)
        and LOCAL_CONVERSATIONS.search(order) is not None
        and LOCAL_BANS.search(order) is not None
    )


def _localized(order: str) -> TaskKind | None:
    return next((kind for kind, pattern in LOCAL_KINDS.items() if pattern.search(order)), None)


def _by_sample(order: str) -> TaskKind | None:
    keys = {key for key, _ in _SAMPLE.findall(order)}
    return next((kind for kind, key in HEADINGS.items() if key in keys), None)


def _is_dialogue(said: Sequence[Message]) -> bool:
    return len({one.role for one in said}) > 1


def _taken_apart(text: str) -> _Request:
    """What is quoted stands between tags, in JSON, or on lines that begin with a role."""
    order, tagged = _without_tags(text)
    if tagged:
        quoted = [
            one
            for quotation in tagged.values()
            for one in _dialogue(quotation) or [Message("user", quotation.strip())]
        ]
        is_tagged = not tagged.keys().isdisjoint(_OF_CHATS)
        return _Request(order=order, quoted=quoted, is_tagged=is_tagged)
    quoted = _dialogue(text)
    if not _is_dialogue(quoted):
        return _Request(order=text, quoted=[], is_tagged=False)
    start = min(found.start() for pattern in (_ROLE, _LINE) for found in pattern.finditer(text))
    end = _END.search(text)
    return _Request(order=text[:start] + (end[0] if end else ""), quoted=quoted, is_tagged=False)


def _without_tags(text: str) -> tuple[str, dict[str, str]]:
    """The text around quotations, and the last one of each tag. A tag begins a line."""
    tagged: dict[str, str] = {}
    for name in _TAGS:
        opening, closing = f"\n<{name}>", f"</{name}>"
        text = f"\n{text}"
        while (start := text.find(opening)) >= 0 and (end := text.find(closing, start)) >= 0:
            tagged[name] = text[start + len(opening) : end]
            text = text[:start] + "\n" + text[end + len(closing) :]
        text = text[1:]
    return text, tagged


def _dialogue(text: str) -> list[Message]:
    in_json = [
        Message("user" if role == "user" else "assistant", said)
        for role, said in _ROLE.findall(text)
    ]
    return in_json or [
        Message("user" if found["user"] else "assistant", found["text"].strip())
        for found in _LINE.finditer(text)
    ]
