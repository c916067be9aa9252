"""What front ends ask for themselves, in the shapes of eight of them and in other languages."""

from rag_service.conversations.messages import Message

QUESTION = "How do I reset my password?"
REPLY = "Open the settings and choose Security."
TRANSCRIPT = f"USER: {QUESTION}\nASSISTANT: {REPLY}"
TAGGED = f"<chat_history>\n{TRANSCRIPT}\n</chat_history>"
HISTORY = [Message("user", QUESTION), Message("assistant", REPLY)]


def alone(text: str) -> list[Message]:
    return [Message("user", text)]


def above(system: str, text: str = QUESTION) -> list[Message]:
    return [Message("system", system), Message("user", text)]


def after(text: str) -> list[Message]:
    return [*HISTORY, Message("user", text)]


WITH_HEADINGS = alone(
    "### Task:\nWrite a title of 3 to 5 words, with an emoji, for the chat history.\n"
    "### Guidelines:\n- It names the theme of the conversation.\n### Output:\n"
    f'JSON format: {{ "title": "the title" }}\n### Chat History:\n{TAGGED}'
)
TAGS = alone(
    "### Task:\nGenerate up to three tags for the themes of the chat history.\n### Output:\n"
    f'JSON format: {{ "tags": ["one", "two"] }}\n### Chat History:\n{TAGGED}'
)
FOLLOW_UPS = alone(
    "### Task:\nSuggest three follow-up questions that the user might ask next in this "
    f'conversation.\n### Output:\n{{ "follow_ups": ["One?", "Two?"] }}\n{TAGGED}'
)
QUERIES = alone(
    "### Task:\nLook at the chat history, and write search queries that would help to answer.\n"
    f'### Output:\nStrictly in JSON format: {{"queries": ["one"]}}\n### Chat History:\n{TAGGED}'
)
EMOJI = alone(
    "Your task is to show the speaker's mood by an emoji. Reply with the emoji that fits the "
    "message and nothing else.\n\nMessage: ```I have lost my key```"
)
COMPLETION = alone(
    "### Task:\nYou are an autocompletion system. Go on with the text, by the completion type in "
    '`<type>`.\n### Output:\n{ "text": "<completion>" }\n<type>search query</type>\n'
    "<text>\nhow do I\n</text>"
)
WITH_ROLES = alone(
    "Give a title of at most five words for the conversation. Only return the title.\n\n"
    f"Conversation:\nUser: {QUESTION}\nAI: {REPLY}"
)
NUMBERED = alone(
    "Analyze this conversation and provide:\n1. Its language\n2. A title in that language (at "
    f"most 5 words, no punctuation)\n\nUser: {QUESTION}\nAI: {REPLY}"
)
AT_THE_END = after(
    "Please create a title of four or five words for our conversation, without quotation marks, "
    "punctuation or other text."
)
COMPACTION = after("Summarize the conversation in 200 words or less, as context for what follows.")
IN_SYSTEM = above(
    "Generate a descriptive title for this conversation from the user's message.\n\n"
    "Requirements:\n- 3 to 5 words\n- No quotation marks\n- Only output the title"
)
PERSONA = above(
    "You are a conversation summarizer. Write a title that tells what the conversation is about."
    "\n- Output ONLY the title\n- At most 50 characters",
    f"user: {QUESTION}\nassistant: {REPLY}",
)
STANDALONE = [
    Message(
        "system",
        "Given a chat history and the latest question of the user, formulate a standalone "
        "question that can be understood by itself. Do NOT answer the question.",
    ),
    *HISTORY,
    Message("user", "And on the phone?"),
]
IN_JSON = alone(
    "Classify this conversation into tags, in JSON only.\n\n"
    f'[{{"role": "user", "content": "{QUESTION}"}}, {{"role": "assistant", "content": "ok"}}]'
)

EIGHT_WORDINGS = [
    WITH_HEADINGS,
    TAGS,
    FOLLOW_UPS,
    QUERIES,
    WITH_ROLES,
    AT_THE_END,
    IN_SYSTEM,
    PERSONA,
]
WORDINGS: list[tuple[str, list[Message]]] = [
    ("title", WITH_HEADINGS),
    ("tags", TAGS),
    ("follow_ups", FOLLOW_UPS),
    ("queries", QUERIES),
    ("emoji", EMOJI),
    ("text", COMPLETION),
    ("title", WITH_ROLES),
    ("title", NUMBERED),
    ("title", AT_THE_END),
    ("summary", COMPACTION),
    ("title", IN_SYSTEM),
    ("title", PERSONA),
    ("queries", STANDALONE),
    ("tags", IN_JSON),
]
LOCALIZED: list[tuple[str, list[Message]]] = [
    (
        "title",
        alone(
            "### Aufgabe:\nErzeuge einen Titel für den Chatverlauf.\n### Ausgabe:\n"
            f'{{ "title": "der Titel" }}\n### Chatverlauf:\n{TAGGED}'
        ),
    ),
    ("tags", alone(f'### Задача:\nПодбери теги.\n### Вывод:\n{{"tags": ["а"]}}\n\n{TAGGED}')),
    ("title", after("Schreibe einen Titel für dieses Gespräch. Gib nur den Titel aus.")),
    ("title", alone("Écris un titre pour cette conversation, sans guillemets.")),
    ("title", above("Escribe un título para la conversación. Devuelve solo el título.")),
    ("title", after("用五个字以内写出这段对话的标题，不要标点。")),
    ("title", alone(f"この会話のタイトルだけを出力。\n\nユーザー: {QUESTION}\nアシスタント: はい")),
    ("follow_ups", alone(f"### 任务\n根据对话提出追问。\n### 输出\n{{'a': 1}}\n\n{TAGGED}")),
    ("title", above("Ти пишеш: заголовок, только заголовок.", f"user: {QUESTION}\nassistant: ok")),
]
OF_PEOPLE: list[list[Message]] = [
    *map(
        alone,
        [
            "How do I generate tags for my posts?",
            "What title should my page have?",
            "How do I change the title of a conversation?",
            "Which tags should I use for the conversation history?",
            "Generate a title for my blog post about SSO in 5 words",
            "Can I export the chat history as JSON?",
            "Please suggest a good title for a page on opening hours.",
            "How do I summarize the conversation history in under 100 words?",
            "Where do I find the tags of this chat? Only the menu path, please.",
            "Wie ändere ich den Titel des Gesprächs?",
            "Give me the title of the manager of the shop in Bern.",
            'What does the error \'JSON format: { "title": "x" }\' mean?',
            "Do follow-up questions cost extra?",
            "Explain the search query syntax in 3 sentences.",
            "List the tags that the import of conversations understands.",
            "Mein Chat hat keinen Titel, nur eine Nummer. Was tun?",
            "我的对话标题怎么改？只要步骤",
            "Write a short message to a customer with the title Refund in 50 words.",
            "My log says:\nuser: anna\nassistant: timeout\nWhat does it mean?",
            "Summarize the return policy in 50 words.",
            "What are suggested replies in the chat and how do I turn them off?",
            "Which emoji does the chat support?",
            "<context>\nWe open at nine.\n</context>\nWhen do you open?",
        ],
    ),
    above("Answer the user's questions. At the end suggest three follow-up questions, as JSON."),
    above("You are a support bot. Keep the conversation friendly. Reply in at most 50 words."),
    above("Beantworte Fragen nur aus dem Chat. Gib jedem Abschnitt einen Titel."),
    above("Respond to the query from the context, with citations only where <source> has an id."),
    after("And what title does it have?"),
    after("In five words, please."),
]
