"""The words of front ends' orders, as the field's front ends write them, and in a dozen languages.

Open WebUI, LibreChat, LobeChat, n8n, NextChat, Chatbox, Cherry Studio, Vercel's chatbot, Goose,
HuggingChat and LangChain were read for them.
"""

import re
from typing import Literal

TaskKind = Literal["title", "tags", "follow_ups", "queries", "emoji", "summary", "text", "tools"]

HEADINGS: dict[TaskKind, str] = {
    "follow_ups": "follow_ups",
    "queries": "queries",
    "tags": "tags",
    "tools": "tool_calls",
    "emoji": "emoji",
    "text": "text",
    "title": "title",
    "summary": "summary",
}
"""The key under which JSON has each, where the order shows no other."""


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I | re.S)


_NAME = (
    r"\btitles?\b|\bheadline\b|\bsubject line\b"
    r"|\b(?:chat|conversation|session|thread|topic) names?\b|\bname for\b|\ba (?:short )?name\b"
    r"|\bdescription of (?:this|the) (?:session|chat|conversation)\b|\btitling\b|\bmain topic\b"
)
KINDS: dict[TaskKind, re.Pattern[str]] = {
    "text": _words(r"\bauto-?complet\w+\b|\bcompletion of the (?:user|message)\b"),
    "tools": _words(r"\b(?:choose|select)\b.{0,20}\bcorrect tools?\b|\bcorrect tool\(s\)"),
    "follow_ups": _words(
        r"\bfollow[- ]?ups?\b(?! (?:question|input))|\bfollow[- ]?up (?:questions|prompts)\b"
        r"|\b(?:next|suggested|suggest\w*|related) (?:\w+ ){0,2}(?:questions|replies|prompts)\b"
        r"|\bquestions\b.{0,60}\bask next\b|\bsuggestions\b"
    ),
    "queries": _words(
        r"\b(?:search|retrieval|web)[\w ]{0,12} (?:quer(?:y|ies)|terms|keywords)\b"
        r"|\bstand-?alone (?:question|query)\b|\bsearch keywords\b"
    ),
    "tags": _words(r"\btags?\b|\bkeywords\b|\bcategor(?:y|ies)\b|\blabels\b"),
    "title": _words(_NAME),
    "summary": _words(r"\bsummari[sz]\w+\b|\bsummary\b|\brecap\b|\bcondense\b|\bcompress\b"),
    "emoji": _words(r"\bemojis?\b"),
}
"""What is wanted; the first that fits, since a title may be wanted with an emoji."""

_LEADS = (
    r"(?:^|[\n.!:;]|\A)[\s\-*#>\d.)\"“`]{0,20}+"
    r"(?:(?:task|goal|objective|instructions?|prompt)\s*[:：][\s*#]*)?"
    r"(?:(?:please|kindly|now|then|and|also|just|strictly|only|always)\b[\s,]*)*"
    r"(?:(?:your (?:task|job|goal|role|objective) (?:is|will be) (?:simply |only )?to"
    r"|you (?:will|must|should|need to|are (?:asked|tasked|required) (?:to|with))"
    r"|i (?:want|need|would like) you to|the (?:task|goal) is to|let's|can you|could you)\s+)?"
    r"(?:(?:based on|given|considering|from|using|for|in|as|after|read|review|look at|analy[sz]e"
    r"|examine|consider)\b[^.\n]{0,160}?[,:\n]?\s*(?:and |then |to )?)?"
)
_VERBS = (
    r"(?:generat\w+|create|creating|write|suggest|provide|give|produce|propose|come up with|return"
    r"|determine|name|label|extract|output|reply with|respond with|rephrase|reformulate|rewrite"
    r"|formulate|choose|select|pick|summari[sz]e|condense|compress|make|craft|assign|reflect"
    r"|identify|list|predict|continue|complete|prioritize generating|classify|categori[sz]e)\b"
)
_SPAN = r".{0,220}?"
_PERSON = r"\byou(?:'re| are) (?:an?|the|our|my)\b[^.\n]{0,100}?"


def _order(kind: TaskKind) -> re.Pattern[str]:
    if kind == "summary":
        return _words(
            rf"{_LEADS}(?:summari[sz]e|condense|compress|recap)\s+(?:\w+\s+){{0,3}}"
            r"(?:discussion|conversation|chat|dialogue|thread|history|request|query|messages)\b"
        )
    return _words(rf"{_LEADS}{_VERBS}{_SPAN}(?:{KINDS[kind].pattern})")


ORDERS: dict[TaskKind, re.Pattern[str]] = {kind: _order(kind) for kind in KINDS}
"""A sentence that begins by ordering it."""
PERSONAS: dict[TaskKind, re.Pattern[str]] = {
    kind: _words(rf"{_PERSON}(?:{pattern.pattern})") for kind, pattern in KINDS.items()
}
"""Who is told to be nothing but what makes it."""

CONVERSATIONS = _words(
    r"\b(?:chat|conversation|message|dialogue|session|thread)(?:'s)? "
    r"(?:history|title|titles|name|topic|session|summary|turns?)\b"
    r"|\b(?:this|the|our|following|above|entire|whole|previous|given|new)(?: \w+){0,2}?"
    r" (?:chat|conversation|dialogue|discussion|session|thread|exchange)\b"
    r"|\b(?:for|of|in) an? (?:new |chat |ongoing )?(?:chat|conversation|session|dialogue|thread)\b"
    r"|\b(?:conversation|chat)s\b"
    r"|\buser(?:'|’)?s? (?:first |initial |last |latest |next |current )?"
    r"(?:message|query|question|prompt|input|request)\b"
    r"|\bfirst (?:\w+ )?(?:message|query|question|prompt)\b|\bspeaker(?:'s)?\b"
    r"|\bthis (?:user )?(?:message|query|question|prompt)\b|\bfollow[- ]?up (?:question|input)\b"
    r"|\bmessages? below\b|\bthe query\b|\bcompletion type\b"
)
"""What it is made of: a conversation, and not a page or a product."""

_COUNT = r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|single)"
BANS = _words(
    r"\b(?:only|just|solely|nothing but)\b[^.\n]{0,40}\b(?:return|output|respond|reply|answer|text"
    r"|title|name|json|tags?|emoji|quer(?:y|ies)|questions?|string|summary|reformulate)\b"
    r"|\b(?:return|output|respond|reply|answer|give)\b[^.\n]{0,50}\b(?:only|just|nothing else"
    r"|nothing but)\b|\bnothing else\b|\bnothing more\b"
    r"|\b(?:no|without|avoid|omit|exclude)\b[^.\n]{0,50}\b(?:quot\w+|punctuation|explanations?"
    r"|preamble|lead-in|(?:extra|additional|other) (?:text|words)|markdown|formatting|emojis?)\b"
    r"|\b(?:do not|don't|never)\b[^.\n]{0,50}\b(?:quot\w+|punctuat\w+|explain\w*|explanations?"
    r"|answer|emojis?|prefix\w*|markdown|formatting)\b"
    rf"|\b{_COUNT}\s*(?:(?:-|–|to|or)\s*{_COUNT})?[\s-]*(?:words?|characters?|letters|tokens)\b"
    r"|\bJSON (?:format|object|array)\b|\bin JSON\b|\bas (?:a )?JSON\b"
    r"|\bmax(?:imum)?\b[^.\n]{0,20}\b(?:words|characters)\b"
    r"|\n[^\n:]{2,40}:\s*$|\byour (?:sole |only )?task is to\b|^#+ ?task\b"
)
"""What nobody writes to an assistant who wants to be answered."""

LOCAL_KINDS: dict[TaskKind, re.Pattern[str]] = {
    "follow_ups": _words(
        r"folgefrage|anschlussfrage|questions? de (?:suivi|relance)|preguntas? de seguimiento"
        r"|domande? di (?:follow|approfondimento)|perguntas? de acompanhamento|vervolgvra"
        r"|уточняющ|последующ|追问|后续问题|後続|フォローアップ|次の質問|후속 질문|takip soru"
        r"|pytania? uzupełniając|أسئلة المتابعة"
    ),
    "queries": _words(
        r"suchanfrage|suchbegriffe|requêtes? de recherche|consultas? de búsqueda"
        r"|query di ricerca|consultas? de pesquisa|zoekopdracht|поисков\w+ запрос|搜索(?:查询|词)"
        r"|検索クエリ|검색어|arama sorgu|zapytania? wyszukiw|استعلامات"
    ),
    "tags": _words(
        r"schlagw[oö]rt|\btags?\b|étiquettes?|etiquetas?|etichette|mots[- ]clés|palabras clave"
        r"|тег[иов]|标签|タグ|태그|etiket|tagi\b|وسوم"
    ),
    "title": _words(
        r"\btitel\b|überschrift|\btitre\b|\btítulos?\b|\btitolo\b|заголов|название|标题|標題|主题"
        r"|题目|タイトル|題名|제목|başlı[kğ]|tytuł|عنوان|\btitle\b"
    ),
    "emoji": _words(r"emoji|表情|絵文字|이모지|эмодзи"),
    "summary": _words(
        r"zusammenfass|résum|resum|riassu|samenvat|кратк\w+ (?:изложен|содержан)|总结|概括|要約"
        r"|요약|özet|podsumow|تلخيص"
    ),
}
LOCAL_CONVERSATIONS = _words(
    r"gespräch|chatverlauf|unterhaltung|\bchats?\b|discussion|conversation|conversaci|conversa\b"
    r"|conversazion|gesprek|диалог|разговор|беседы|чата|对话|會話|会话|聊天|这句话|会話|チャット"
    r"|대화|sohbet|konuşma|rozmow|czatu|المحادثة|消息|сообщени|nachricht|mensaje|mensagem|messaggi"
    r"|用户的问题|提问"
)
LOCAL_ANSWERS = _words(
    r"beantwort|antworte auf|hilf|répon[ds]\w* aux|aide[rz]? |responde a|ayuda|contesta|rispondi a"
    r"|aiut|ajud|beantwoord|отвечай|отвечать|помога|помочь|回答用户|解答|帮助|お答え|回答して|답변|yanıtla"
    r"|odpowiadaj|pomag|أجب|ساعد"
)
LOCAL_BANS = _words(
    r"\bnur\b[^.\n]{0,40}(?:titel|antwort|gib|json|aus\b|zurück|text)"
    r"|(?:gib|antworte)[^.\n]{0,40}\bnur\b"
    r"|ohne (?:anführung|satzzeichen|erkl)|keine (?:anführung|erkl|satzzeichen)|wörtern?\b"
    r"|uniquement|sans (?:guillemets|ponctuation|explication)|\d+ mots"
    r"|solo (?:el|il|con|la|devuelve)"
    r"|únicamente|solamente|sin (?:comillas|puntuaci|explica)|\d+ palabras|soltanto|senza (?:virgol"
    r"|spiegaz|punteggia)|\d+ parole|apenas|somente"
    r"|sem (?:aspas|pontua|explica)|\d+ palavras|alleen"
    r"|zonder (?:aanhal|uitleg)|\d+ woorden|только|без (?:кавычек|пояснен|пунктуац|знаков)|\d+ слов"
    r"|слов\b|不要|只(?:返回|输出|需)|仅(?:返回|输出)|直接(?:返回|输出)|字以内|个字|字内|不超过|のみ|だけ|以内"
    r"|不要な|しないで|만 (?:출력|반환|작성)|이내|단어|sadece|yalnızca|kelime"
    r"|tylko|bez (?:cudzys|wyjaśn"
    r"|interpunk)|słów|فقط|كلمات|JSON"
)
